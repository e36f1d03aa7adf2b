//! `share()`: several pullers, who take turns.
use crate::Error;
use crate::error::{Site, caught};
use crate::locked::{Given, Locked, Serial};
use crate::pipe::{Named, Pipe, Pulled, Start, Upstream};
use crate::pool::Turn;
use crate::stage::order::Handed;
use crate::sync::{Arc, Mutex};
use std::fmt;

/// A clonable handle on the stream: whoever pulls takes the next item. The upstream ends with its last holder.
///
/// A track from which another one pulls is shared in this way.
///
/// ```
/// use tinypl::pipeline;
///
/// let mut a = pipeline! { range(4) |> share() };
/// let mut b = a.clone();
/// assert_eq!((a.next(), b.next(), a.next()), (Some(0), Some(1), Some(2)));
/// drop(a);
/// assert_eq!(b.next(), Some(3));
/// ```
#[track_caller]
pub fn share<P: Pipe>(up: P) -> Locked<Share<P>> {
    let state = State { up, failed: None, above: None };
    Locked::new(Share::new(Arc::new(Shared { turn: Turn::new(), state: Mutex::new(state) })), Site::here("share"))
}

/// The stage of [`share`].
#[must_use = "a stage does nothing until it is pulled"]
pub struct Share<P: Pipe> {
    shared: Arc<Shared<P>>,
    handed: Handed<<P::Tags as Named>::Raw>,
}

struct Shared<P> {
    /// Taken before `state`, which is then free: this is where threads wait for one another.
    turn: Turn,
    state: Mutex<State<P>>,
}

struct State<P> {
    up: P,
    /// A panic of a stage above: all who share it get the same error.
    failed: Option<Error>,
    /// What the stages above said when they started.
    above: Option<Start>,
}

impl<P: Pipe> State<P> {
    fn pull(&mut self) -> Pulled<P> {
        if self.failed.is_some() {
            return None;
        }
        match caught(|| self.up.pull()) {
            Ok(pulled) => pulled,
            Err(panic) => {
                self.failed = Some(panic);
                None
            }
        }
    }
}

impl<P: Pipe> Share<P> {
    fn new(shared: Arc<Shared<P>>) -> Self {
        Self { shared, handed: Handed::new() }
    }

    fn in_turn<R>(&self, f: impl FnOnce(&mut State<P>) -> R) -> Option<R> {
        let _turn = self.shared.turn.wait()?;
        Some(f(&mut self.shared.state.lock()))
    }
}

impl<P: Pipe> Serial for Share<P> {
    type Item = P::Item;
    type Marker = P::Marker;
    type Tags = P::Tags;

    fn pull(&mut self) -> Option<Given<Self>> {
        let signal = self.in_turn(State::pull)??;
        self.handed.note(signal.ride());
        Some(signal)
    }

    fn upstream(&mut self) -> Option<&mut dyn Upstream> {
        None
    }

    fn start(&mut self, start: &mut Start) {
        self.in_turn(|state| {
            let above = state.above.get_or_insert_with(|| {
                let mut above = Start::default();
                state.up.start(&mut above);
                above
            });
            start.repeat(above);
        });
        self.handed.open(&start.windows);
    }

    fn finish(&mut self) -> Result<(), Error> {
        let finish = |state: &mut State<P>| state.failed.clone().map_or_else(|| state.up.finish(), Err);
        self.in_turn(finish).unwrap_or(Ok(()))
    }
}

impl<P: Pipe> Clone for Locked<Share<P>> {
    fn clone(&self) -> Self {
        let share = self.peek(|share| Share::new(share.shared.clone()));
        Locked::new(share, self.site())
    }
}

impl<P: Pipe> fmt::Debug for Share<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Share").finish_non_exhaustive()
    }
}
