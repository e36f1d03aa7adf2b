//! `o @ order::save(maxsize)`: one puller at a time.
use super::window::{Order, Ordered, Ticket, Window};
use crate::error::Site;
use crate::locked::{Given, Locked, Serial};
use crate::pipe::{Envelope, Pipe, Start, Upstream};
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
pub fn save<P: Pipe>(up: P, maxsize: usize) -> Locked<Save<P, ()>> {
    assert!(maxsize > 0, "`maxsize` of `order::save` must be at least 1");
    let stage = Save { up, window: Window::new(maxsize), next: 0, limit: 0, patient: true, brand: PhantomData };
    Locked::new(stage, Site::here("order::save"))
}

impl<P: Pipe, B> Locked<Save<P, B>> {
    /// The order, for [`load`](super::load).
    pub fn handle(&mut self) -> Order<B> {
        Order::new(self.stage_mut().window.clone())
    }
}

/// The macro's `o @`: a type of its own, called like the user's `o`.
pub(crate) fn branded<B, P: Pipe>(stage: Locked<Save<P, ()>>) -> Locked<Save<P, B>> {
    stage.with(|Save { up, window, next, limit, patient, .. }| Save {
        up,
        window,
        next,
        limit,
        patient,
        brand: PhantomData,
    })
}

/// The stage of [`save`]. `B` is the order's name.
#[must_use = "a stage does nothing until it is pulled"]
pub struct Save<P, B> {
    up: P,
    window: Arc<Window>,
    /// The next ticket.
    next: usize,
    /// The first ticket that may not be given out, as of the last look.
    limit: usize,
    patient: bool,
    brand: PhantomData<fn() -> B>,
}

impl<P, B> Save<P, B> {
    /// How many tickets may be given out.
    fn free(&mut self) -> usize {
        let free = self.window.credits.free(self.next);
        self.limit = self.next + free;
        free
    }
}

impl<P: Pipe, B> Serial for Save<P, B> {
    type Item = P::Item;
    type Marker = P::Marker;
    type Tags = (Ordered<B>, P::Tags);

    #[inline]
    fn pull(&mut self) -> Option<Given<Self>> {
        while self.next >= self.limit && self.free() == 0 {
            if stopping() {
                return None;
            }
            self.window.credits.wait(self.next, &mut self.patient);
        }
        let signal = self.up.pull()?;
        let ticket = Ticket(self.next);
        self.next += 1;
        Some(match signal {
            Envelope::Item(x, g) => Envelope::Item(x, (ticket, g)),
            Envelope::Mark(m, g) => Envelope::Mark(m, (ticket, g)),
            Envelope::Gap(_, g) => Envelope::Gap((), (ticket, g)),
        })
    }

    fn upstream(&mut self) -> Option<&mut dyn Upstream> {
        Some(&mut self.up)
    }

    #[inline]
    fn ready(&mut self) -> usize {
        self.up.ready().min(self.free())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.up.size_hint()
    }

    fn start(&mut self, start: &mut Start) {
        self.up.start(start);
        start.windows.push(self.window.clone());
    }
}

impl<P: fmt::Debug, B> fmt::Debug for Save<P, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Save").field("next", &self.next).field("up", &self.up).finish_non_exhaustive()
    }
}
