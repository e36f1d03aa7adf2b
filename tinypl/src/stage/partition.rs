//! `partition(n)`: one puller at a time.
use crate::locked::{Given, Locked, Serial, pulls, stopping};
use crate::marker::{After, Before, NoMarker};
use crate::monitor::Survey;
use crate::pipe::{Envelope, Pipe, Start, Upstream, Way, wraps};
use crate::post::Post;
use std::collections::VecDeque;
use std::fmt;
use std::marker::PhantomData;

/// `Vec`s of `n` items each; the last may be shorter.
///
/// On a stream that carries markers say where they go, [`markers(Before)`](Partition::markers) or `markers(After)`: before or
/// after the group in which they arrived. With [`split_on_marker(true)`](Partition::split_on_marker) a marker also ends its
/// group. In `pipeline!` these are `markers = before`, `markers = after` and `split_on_marker = true`.
///
/// ```
/// use tinypl::pipeline;
///
/// assert_eq!(pipeline! { range(5) |> partition(2) |> collect::<Vec<_>>() }, [vec![0, 1], vec![2, 3], vec![4]]);
///
/// // each epoch's last batch may be short
/// let epochs: Vec<Vec<i32>> = pipeline! {
///     range(6) |> marker::insert_periodic(3) |> partition(2, split_on_marker = true) |> collect()
/// };
/// assert_eq!(epochs, [vec![0, 1], vec![2], vec![3, 4], vec![5]]);
/// ```
///
/// # Panics
/// If `n` is 0.
#[track_caller]
pub fn partition<P: Pipe<Tags = ()>>(up: P, n: usize) -> Partition<P, Nowhere> {
    assert!(n > 0, "`n` of `partition` must be at least 1");
    let groups = Groups { up, n, group: Vec::new(), due: VecDeque::new(), after: false, split: false };
    Partition { groups: Locked::new(groups, Post::here("partition")), placing: PhantomData }
}

/// The stage of [`partition`]. `M` says where markers go.
#[must_use = "a stage does nothing until it is pulled"]
pub struct Partition<P: Pipe<Tags = ()>, M> {
    groups: Locked<Groups<P>>,
    placing: PhantomData<fn() -> M>,
}

impl<P: Pipe<Tags = ()>, M> Partition<P, M> {
    /// Where markers go: [`Before`] or [`After`] the group in which they arrive.
    pub fn markers<W: Placing<P::Marker>>(self, _: W) -> Partition<P, W> {
        self.placed()
    }

    /// Whether a marker ends the group in which it arrives. Where nothing else is said, it stands after that group.
    pub fn split_on_marker(mut self, split: bool) -> Partition<P, M::Alone>
    where
        M: Split<Alone: Placing<P::Marker>>,
    {
        self.groups.stage_mut().split = split;
        self.placed()
    }

    fn placed<W: Placing<P::Marker>>(mut self) -> Partition<P, W> {
        self.groups.stage_mut().after = W::AFTER;
        Partition { groups: self.groups, placing: PhantomData }
    }
}

impl<P: Pipe<Tags = ()>, M: Placing<P::Marker>> Pipe for Partition<P, M> {
    type Item = Vec<P::Item>;
    type Marker = P::Marker;
    type Tags = ();
    type Local = ();
    type Bottom = Groups<P>;
    wraps!(groups);

    fn survey(&self, survey: &mut Survey) {
        self.groups.survey(survey);
        if let Some(place) = M::SAID {
            survey.option("markers", place);
        }
        survey.carries::<Self>();
    }

    fn start(&mut self, start: &mut Start) {
        self.groups.start(start);
    }
}

impl<P: Pipe<Tags = ()>, M> fmt::Debug for Partition<P, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Partition").field(&self.groups.site()).finish()
    }
}

/// No place for markers: only for a stream without any.
#[derive(Clone, Copy, Debug)]
pub struct Nowhere;

/// Where the markers `M` may go.
pub trait Placing<M> {
    /// Whether a marker waits for its group.
    const AFTER: bool;
    #[doc(hidden)]
    const SAID: Option<&'static str>;
}

impl<M: NoMarker> Placing<M> for Nowhere {
    const AFTER: bool = false;
    const SAID: Option<&'static str> = None;
}

impl<M> Placing<M> for Before {
    const AFTER: bool = false;
    const SAID: Option<&'static str> = Some("before");
}

impl<M> Placing<M> for After {
    const AFTER: bool = true;
    const SAID: Option<&'static str> = Some("after");
}

/// Where markers go if `split_on_marker` is all that is said.
pub trait Split {
    /// That place.
    type Alone;
}

impl Split for Nowhere {
    type Alone = After;
}

impl Split for Before {
    type Alone = Before;
}

impl Split for After {
    type Alone = After;
}

/// What makes the groups.
pub struct Groups<P: Pipe<Tags = ()>> {
    up: P,
    n: usize,
    group: Vec<P::Item>,
    /// Markers that wait for their group, and a group that waits for its markers.
    due: VecDeque<Given<Self>>,
    /// Whether a marker waits for its group.
    after: bool,
    split: bool,
}

impl<P: Pipe<Tags = ()>> Groups<P> {
    fn take_group(&mut self) -> Given<Self> {
        Envelope::Item(std::mem::take(&mut self.group), ())
    }

    /// The group goes first, then the markers that waited for it.
    fn close(&mut self) {
        let group = self.take_group();
        self.due.push_front(group);
    }
}

impl<P: Pipe<Tags = ()>> Serial for Groups<P> {
    type Item = Vec<P::Item>;
    type Marker = P::Marker;
    type Tags = ();

    pulls!();

    #[inline]
    fn pull_by<W: Way>(&mut self) -> Option<Given<Self>> {
        loop {
            // what waits for its group is not due before that
            if self.group.is_empty()
                && let Some(due) = self.due.pop_front()
            {
                return Some(due);
            }
            match W::pull(&mut self.up) {
                Some(Envelope::Item(x, ())) => {
                    if self.group.is_empty() {
                        self.group.reserve_exact(self.n.min(self.up.size_hint().0.saturating_add(1)));
                    }
                    self.group.push(x);
                    if self.group.len() == self.n {
                        self.close();
                    }
                }
                Some(Envelope::Mark(m, ())) => {
                    let mark = Envelope::Mark(m, ());
                    if self.group.is_empty() {
                        return Some(mark);
                    }
                    match (self.after, self.split) {
                        (true, false) => self.due.push_back(mark),
                        (true, true) => {
                            self.due.push_back(mark);
                            self.close();
                        }
                        (false, false) => return Some(mark),
                        (false, true) => {
                            let group = self.take_group();
                            self.due.push_back(group);
                            return Some(mark);
                        }
                    }
                }
                None if self.group.is_empty() || stopping() || self.up.finish().is_err() => return None,
                None => self.close(),
            }
        }
    }

    fn describe(&self, survey: &mut Survey) {
        survey.option("n", self.n);
        if self.split {
            survey.option("split_on_marker", true);
        }
    }

    fn upstream(&mut self) -> Option<&mut dyn Upstream> {
        Some(&mut self.up)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let (least, most) = self.up.size_hint();
        let due = self.due.iter().filter(|due| matches!(due, Envelope::Item(..))).count();
        let groups = |items: usize| items.saturating_add(self.group.len()).div_ceil(self.n).saturating_add(due);
        // where a marker ends a group, each item may be alone in one
        let most = match self.split {
            true => most.and_then(|most| most.checked_add(usize::from(!self.group.is_empty()) + due)),
            false => most.map(groups),
        };
        (groups(least), most)
    }
}

impl<P: Pipe<Tags = ()>> fmt::Debug for Groups<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Groups").field("n", &self.n).finish_non_exhaustive()
    }
}
