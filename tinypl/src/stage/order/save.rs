//! `o @ order::save(maxsize)`: one puller at a time.
use super::window::{Order, Ordered, Ticket, Window};
use crate::graph::Kind;
use crate::locked::{Given, Locked, Serial, pulls};
use crate::monitor::{Survey, brand};
use crate::pipe::{Envelope, Pipe, Start, Upstream, Way, wraps};
use crate::post::Post;
use crate::stopping;
use crate::sync::Arc;
use std::fmt;
use std::marker::PhantomData;

/// Numbers the items (and the markers) that pass, so that [`load`](super::load) can give them back in this order, whatever
/// happens between: threads, filters, dead workers. At most `maxsize` are under way; one more waits until the oldest has
/// reached `load`. The handle can [change that](Order::set_maxsize) while the pipeline runs.
///
/// ```
/// use tinypl::pipeline;
///
/// let odd: Vec<_> = pipeline! {
///     range(100) |> o @ order::save(8) |> filter(|x| x % 2 == 1) |> thread::map(|x| x * x, workers = 4) |> order::load(o)
///         |> collect()
/// };
/// assert!(odd.is_sorted());
/// assert_eq!(odd.len(), 50);
/// ```
///
/// # Panics
/// If `maxsize` is 0.
#[track_caller]
pub fn save<P: Pipe>(up: P, maxsize: usize) -> Save<P, ()> {
    assert!(maxsize > 0, "`maxsize` of `order::save` must be at least 1");
    let numbering =
        Numbering { up, window: Window::new(maxsize), next: 0, limit: 0, bound: maxsize, promised: 0, patient: true };
    Save { numbering: Locked::new(numbering, Post::here("order::save")), brand: PhantomData }
}

/// The macro's `o @`: a type of its own, called like the user's `o`.
pub(crate) fn branded<B, P: Pipe>(save: Save<P, ()>) -> Save<P, B> {
    Save { numbering: save.numbering, brand: PhantomData }
}

/// The stage of [`save`]. `B` is the order's name.
#[must_use = "a stage does nothing until it is pulled"]
pub struct Save<P: Pipe, B> {
    numbering: Locked<Numbering<P>>,
    brand: PhantomData<fn() -> B>,
}

impl<P: Pipe, B> Save<P, B> {
    /// The order, for [`load`](super::load).
    pub fn handle(&mut self) -> Order<B> {
        Order::new(self.numbering.stage_mut().window.clone())
    }
}

impl<P: Pipe, B> Pipe for Save<P, B> {
    type Item = P::Item;
    type Marker = P::Marker;
    type Tags = (Ordered<B>, P::Tags);
    type Local = ();
    type Bottom = Numbering<P>;
    wraps!(numbering);

    fn survey(&self, survey: &mut Survey) {
        self.numbering.survey(survey);
        survey.handle(brand::<B>()).carries::<Self>();
    }

    fn start(&mut self, start: &mut Start) {
        self.numbering.start(start);
    }
}

impl<P: Pipe, B> fmt::Debug for Save<P, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Save").field(&self.numbering.site()).finish()
    }
}

/// What gives out the tickets. It does not know the order's name, so it is compiled once for all.
pub struct Numbering<P> {
    up: P,
    window: Arc<Window>,
    /// The next ticket.
    next: usize,
    /// The first ticket that may not be given out, as of the last look, when the bound was `bound`.
    limit: usize,
    bound: usize,
    /// The first ticket that `ready` did not promise: whatever becomes of the bound, those before it never wait.
    promised: usize,
    patient: bool,
}

impl<P> Numbering<P> {
    /// How many tickets may be given out.
    fn free(&mut self) -> usize {
        self.bound = self.window.credits.bound();
        let free = self.window.credits.free(self.next);
        self.limit = self.next + free;
        free
    }

    #[inline]
    fn is_full(&mut self) -> bool {
        let bound_holds = || self.next < self.limit && self.bound == self.window.credits.bound();
        self.next >= self.promised && !bound_holds() && self.free() == 0
    }
}

impl<P: Pipe> Serial for Numbering<P> {
    type Item = P::Item;
    type Marker = P::Marker;
    type Tags = (Ordered<()>, P::Tags);

    pulls!();

    #[inline]
    fn pull_by<W: Way>(&mut self) -> Option<Given<Self>> {
        while self.is_full() {
            if stopping() {
                return None;
            }
            self.window.credits.wait(self.next, &mut self.patient);
        }
        let signal = W::pull(&mut self.up)?;
        let ticket = Ticket(self.next);
        self.next += 1;
        Some(match signal {
            Envelope::Item(x, g) => Envelope::Item(x, (ticket, g)),
            Envelope::Mark(m, g) => Envelope::Mark(m, (ticket, g)),
            Envelope::Gap(_, g) => Envelope::Gap((), (ticket, g)),
        })
    }

    fn describe(&self, survey: &mut Survey) {
        let credits = &self.window.credits;
        survey.kind(Kind::Order).waits(credits.watchers()).option("maxsize", credits.bound());
    }

    fn upstream(&mut self) -> Option<&mut dyn Upstream> {
        Some(&mut self.up)
    }

    #[inline]
    fn ready(&mut self) -> usize {
        let sure = self.up.ready().min(self.free());
        self.promised = self.next + sure;
        sure
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.up.size_hint()
    }

    fn start(&mut self, start: &mut Start) {
        self.up.start(start);
        start.windows.push(self.window.clone());
    }
}

impl<P> fmt::Debug for Numbering<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Numbering").field("next", &self.next).finish_non_exhaustive()
    }
}
