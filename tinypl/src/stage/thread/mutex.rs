//! `thread::mutex()`: one puller at a time upstream.
use crate::locked::{Given, Locked, Serial, pulls};
use crate::pipe::{Pipe, Upstream, Way};
use crate::post::Post;
use std::fmt;

/// One thread at a time pulls what stands above: for functions that change what they captured, above a queue.
///
/// ```
/// use tinypl::pipeline;
///
/// let mut seen = 0;
/// let n = pipeline! {
///     range(100) |> map(move |x| { seen += 1; (seen, x) }) |> thread::mutex() |> thread::queue(workers = 4) |> count()
/// };
/// assert_eq!(n, 100);
/// ```
#[track_caller]
pub fn mutex<P: Pipe>(up: P) -> Locked<Mutexed<P>> {
    Locked::new(Mutexed { up }, Post::here("thread::mutex"))
}

/// The stage of [`mutex`].
#[must_use = "a stage does nothing until it is pulled"]
pub struct Mutexed<P> {
    up: P,
}

impl<P: Pipe> Serial for Mutexed<P> {
    type Item = P::Item;
    type Marker = P::Marker;
    type Tags = P::Tags;

    pulls!();

    #[inline]
    fn pull_by<W: Way>(&mut self) -> Option<Given<Self>> {
        W::pull(&mut self.up)
    }

    fn upstream(&mut self) -> Option<&mut dyn Upstream> {
        Some(&mut self.up)
    }

    #[inline]
    fn ready(&mut self) -> usize {
        self.up.ready()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.up.size_hint()
    }
}

impl<P: fmt::Debug> fmt::Debug for Mutexed<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mutexed").field("up", &self.up).finish()
    }
}
