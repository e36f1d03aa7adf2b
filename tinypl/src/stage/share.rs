//! `share()`: several pullers, who take turns.
use crate::Error;
use crate::error::{Site, caught};
use crate::locked::{Given, Locked, Serial, stopping};
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
    let site = Site::here("share");
    let shared =
        Shared { turn: Turn::new(site), up: Mutex::new(up), failed: Mutex::new(None), above: Mutex::new(None) };
    Locked::new(Share::new(Arc::new(shared)), site)
}

/// The stage of [`share`].
#[must_use = "a stage does nothing until it is pulled"]
pub struct Share<P: Pipe> {
    shared: Arc<Shared<P>>,
    handed: Handed<<P::Tags as Named>::Raw>,
}

struct Shared<P> {
    /// Taken before `up`, which is then free: this is where threads wait for one another.
    turn: Turn,
    up: Mutex<P>,
    /// How it ended, for all who share it. Not behind the turn: who asks must not wait for who pulls.
    failed: Mutex<Option<Error>>,
    /// What the stages above said when they started.
    above: Mutex<Option<Start>>,
}

impl<P: Pipe> Share<P> {
    fn new(shared: Arc<Shared<P>>) -> Self {
        Self { shared, handed: Handed::new() }
    }

    fn pull_in_turn(&self) -> Pulled<P> {
        let Shared { turn, up, failed, .. } = &*self.shared;
        let _turn = turn.wait()?;
        if failed.lock().is_some() {
            return None;
        }
        let mut up = up.lock();
        let failure = match caught(Some(None), || up.pull()) {
            Ok(Some(signal)) => return Some(signal),
            Ok(None) if stopping() => return None,
            Ok(None) => caught(Some(Ok(())), || up.finish()).and_then(|finished| finished).err(),
            Err(panic) => Some(panic),
        };
        *failed.lock() = failure;
        None
    }
}

impl<P: Pipe> Serial for Share<P> {
    type Item = P::Item;
    type Marker = P::Marker;
    type Tags = P::Tags;

    fn pull(&mut self) -> Option<Given<Self>> {
        let signal = self.pull_in_turn()?;
        self.handed.note(signal.ride());
        Some(signal)
    }

    fn upstream(&mut self) -> Option<&mut dyn Upstream> {
        None
    }

    fn start(&mut self, start: &mut Start) {
        let mut above = self.shared.above.lock();
        let above = above.get_or_insert_with(|| {
            let mut above = Start::default();
            self.shared.up.lock().start(&mut above);
            above
        });
        start.repeat(above);
        self.handed.open(&above.windows);
    }

    fn finish(&mut self) -> Result<(), Error> {
        self.shared.failed.lock().clone().map_or(Ok(()), Err)
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
