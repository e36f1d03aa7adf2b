//! `m @ marker::insert_periodic(n, after)`: one puller at a time.
use crate::graph::Kind;
use crate::locked::{Given, Locked, Serial, pulls};
use crate::marker::{Mark, Or};
use crate::monitor::{Survey, brand};
use crate::pipe::{Envelope, Pipe, Start, Upstream, Way, wraps};
use crate::post::Post;
use std::fmt;
use std::marker::PhantomData;

/// Inserts a marker after every [`n`](InsertPeriodic::n)th item, or, with [`after(false)`](InsertPeriodic::after), before it. Left out:
/// after every item.
///
/// Markers pass all stages in their places between the items, and are skipped by the pipeline's `Iterator` face.
///
/// ```
/// use tinypl::pipeline;
///
/// pipeline! { let mut numbers = range(5) |> m @ marker::insert_periodic(2); }
/// let first: Vec<_> = pipeline! { &mut numbers |> marker::until(m) |> collect() };
/// let second: Vec<_> = pipeline! { &mut numbers |> marker::until(m) |> collect() };
/// assert_eq!((first, second, numbers.next()), (vec![0, 1], vec![2, 3], Some(4)));
/// ```
#[track_caller]
pub fn insert_periodic<P: Pipe<Tags = ()>>(up: P) -> InsertPeriodic<P, ()> {
    let inserting = Inserting { up, n: 1, after: true, seen: 0, due: Due::Nothing };
    InsertPeriodic { inserting: Locked::new(inserting, Post::here("marker::insert_periodic")), brand: PhantomData }
}

/// The macro's `m @`: a type of its own, called like the user's `m`.
pub(crate) fn branded<B, P: Pipe<Tags = ()>>(stage: InsertPeriodic<P, ()>) -> InsertPeriodic<P, B> {
    InsertPeriodic { inserting: stage.inserting, brand: PhantomData }
}

/// The stage of [`insert_periodic`]. `B` is the marker's name.
#[must_use = "a stage does nothing until it is pulled"]
pub struct InsertPeriodic<P: Pipe<Tags = ()>, B> {
    inserting: Locked<Inserting<P>>,
    brand: PhantomData<fn() -> B>,
}

impl<P: Pipe<Tags = ()>, B> InsertPeriodic<P, B> {
    /// After every how many items.
    ///
    /// # Panics
    /// If `n` is 0.
    #[track_caller]
    pub fn n(mut self, n: u64) -> Self {
        assert!(n > 0, "`n` of `marker::insert_periodic` must be at least 1");
        self.inserting.stage_mut().n = n;
        self
    }

    /// Whether the marker follows the `n`th item (or precedes it).
    pub fn after(mut self, after: bool) -> Self {
        self.inserting.stage_mut().after = after;
        self
    }

    /// The marker.
    pub fn handle(&self) -> Mark<B> {
        Mark::new()
    }
}

impl<P: Pipe<Tags = ()>, B> Pipe for InsertPeriodic<P, B> {
    type Item = P::Item;
    type Marker = Or<Mark<B>, P::Marker>;
    type Tags = ();
    type Local = ();
    type Bottom = Inserting<P>;
    wraps!(inserting);

    fn survey(&self, survey: &mut Survey) {
        self.inserting.survey(survey);
        survey.handle(brand::<B>()).carries::<Self>();
    }

    fn start(&mut self, start: &mut Start) {
        self.inserting.start(start);
    }
}

impl<P: Pipe<Tags = ()>, B> fmt::Debug for InsertPeriodic<P, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("InsertPeriodic").field(&self.inserting.site()).finish()
    }
}

/// What inserts the markers. It does not know their name, so it is compiled once for all.
pub struct Inserting<P: Pipe> {
    up: P,
    n: u64,
    after: bool,
    /// Items since the last marker.
    seen: u64,
    due: Due<P::Item>,
}

/// What comes before the next pull.
enum Due<T> {
    Nothing,
    Mark,
    Item(T),
}

impl<P: Pipe<Tags = ()>> Serial for Inserting<P> {
    type Item = P::Item;
    type Marker = Or<Mark<()>, P::Marker>;
    type Tags = ();

    pulls!();

    #[inline]
    fn pull_by<W: Way>(&mut self) -> Option<Given<Self>> {
        match std::mem::replace(&mut self.due, Due::Nothing) {
            Due::Nothing => {}
            Due::Mark => return Some(Envelope::Mark(Or::This(()), ())),
            Due::Item(x) => return Some(Envelope::Item(x, ())),
        }
        let x = match W::pull(&mut self.up)? {
            Envelope::Item(x, ()) => x,
            Envelope::Mark(m, ()) => return Some(Envelope::Mark(Or::Rest(m), ())),
        };
        self.seen += 1;
        if self.seen < self.n {
            return Some(Envelope::Item(x, ()));
        }
        self.seen = 0;
        if self.after {
            self.due = Due::Mark;
            Some(Envelope::Item(x, ()))
        } else {
            self.due = Due::Item(x);
            Some(Envelope::Mark(Or::This(()), ()))
        }
    }

    fn describe(&self, survey: &mut Survey) {
        survey.kind(Kind::Marker).option("n", self.n);
        if !self.after {
            survey.option("after", false);
        }
    }

    fn upstream(&mut self) -> Option<&mut dyn Upstream> {
        Some(&mut self.up)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let (least, most) = self.up.size_hint();
        let due = usize::from(matches!(self.due, Due::Item(_)));
        (least.saturating_add(due), most.and_then(|most| most.checked_add(due)))
    }
}

impl<P: Pipe> fmt::Debug for Inserting<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inserting").field("n", &self.n).field("after", &self.after).finish_non_exhaustive()
    }
}
