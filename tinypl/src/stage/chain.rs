//! `chain(other)`: one puller at a time.
use crate::locked::{Given, Locked, Serial, pulls, stopping};
use crate::monitor::Survey;
use crate::pipe::{Envelope, Pipe, Upstream, Way};
use crate::post::Post;
use std::fmt;

/// The items of the upstream, then those of `other`. The markers of the upstream pass; those of `other`, if it is a
/// pipeline, don't. It can't stand inside an order: what comes from `other` has no place there.
///
/// ```
/// use tinypl::pipeline;
///
/// assert_eq!(pipeline! { range(2) |> chain([7, 8]) |> collect::<Vec<_>>() }, [0, 1, 7, 8]);
/// ```
///
/// # Panics
/// A panic of the other iterator ends the pipeline with an [`Error`](crate::Error) that names this stage and the item.
#[track_caller]
pub fn chain<P: Pipe<Tags = ()>, I: IntoIterator<Item = P::Item>>(up: P, other: I) -> Locked<Chain<P, I::IntoIter>> {
    Locked::new(Chain { up, ended: false, other: other.into_iter() }, Post::here("chain"))
}

/// The stage of [`chain`].
#[must_use = "a stage does nothing until it is pulled"]
pub struct Chain<P, I> {
    up: P,
    /// Whether the upstream has, and without an error.
    ended: bool,
    other: I,
}

impl<P: Pipe<Tags = ()>, I: Iterator<Item = P::Item>> Serial for Chain<P, I> {
    type Item = P::Item;
    type Marker = P::Marker;
    type Tags = ();

    pulls!();

    #[inline]
    fn pull_by<W: Way>(&mut self) -> Option<Given<Self>> {
        if !self.ended {
            match W::pull(&mut self.up) {
                None if stopping() || self.up.finish().is_err() => return None,
                None => self.ended = true,
                signal => return signal,
            }
        }
        self.other.next().map(|x| Envelope::Item(x, ()))
    }

    fn describe(&self, survey: &mut Survey) {
        survey.join(&self.other);
    }

    fn upstream(&mut self) -> Option<&mut dyn Upstream> {
        Some(&mut self.up)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let ((a, b), (c, d)) = (self.up.size_hint(), self.other.size_hint());
        (a.saturating_add(c), b.and_then(|b| b.checked_add(d?)))
    }
}

impl<P: fmt::Debug, I> fmt::Debug for Chain<P, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chain").field("up", &self.up).finish_non_exhaustive()
    }
}
