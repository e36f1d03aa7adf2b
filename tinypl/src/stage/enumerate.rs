//! `enumerate()`: one puller at a time.
use crate::locked::{Given, Locked, Serial, pulls};
use crate::pipe::{Envelope, Pipe, Upstream, Way};
use crate::post::Post;
use std::fmt;

/// Pairs each item with its number, from 0.
///
/// ```
/// use tinypl::pipeline;
///
/// assert_eq!(pipeline! { ["a", "b"] |> enumerate() |> collect::<Vec<_>>() }, [(0, "a"), (1, "b")]);
/// ```
#[track_caller]
pub fn enumerate<P: Pipe>(up: P) -> Locked<Enumerate<P>> {
    Locked::new(Enumerate { up, next: 0 }, Post::here("enumerate"))
}

/// The stage of [`enumerate`].
#[must_use = "a stage does nothing until it is pulled"]
pub struct Enumerate<P> {
    up: P,
    next: usize,
}

impl<P: Pipe> Serial for Enumerate<P> {
    type Item = (usize, P::Item);
    type Marker = P::Marker;
    type Tags = P::Tags;

    pulls!();

    #[inline]
    fn pull_by<W: Way>(&mut self) -> Option<Given<Self>> {
        let signal = W::pull(&mut self.up)?;
        let n = self.next;
        self.next += usize::from(matches!(signal, Envelope::Item(..)));
        Some(signal.map(|x| (n, x)))
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

impl<P: fmt::Debug> fmt::Debug for Enumerate<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Enumerate").field("next", &self.next).field("up", &self.up).finish()
    }
}
