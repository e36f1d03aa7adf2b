//! `zip(other)`: one puller at a time.
use crate::Error;
use crate::locked::{Given, Locked, Serial, pulls};
use crate::monitor::Survey;
use crate::pipe::{Envelope, Named, Pipe, Upstream, Way};
use crate::post::Post;
use std::fmt;

/// Pairs each item with the next one of `other`, until either ends. The markers of the upstream pass; those of `other`, if
/// it is a pipeline, don't.
///
/// ```
/// use tinypl::pipeline;
///
/// let pairs: Vec<_> = pipeline! { range(9) |> zip(["a", "b"]) |> collect() };
/// assert_eq!(pairs, [(0, "a"), (1, "b")]);
/// ```
///
/// # Panics
/// A panic of the other iterator ends the pipeline with an [`Error`](crate::Error) that names this stage and the item.
#[track_caller]
pub fn zip<P: Pipe, I: IntoIterator>(up: P, other: I) -> Locked<Zip<P, I::IntoIter>> {
    Locked::new(Zip { up, other: other.into_iter(), first: None, ended: false }, Post::here("zip"))
}

/// The stage of [`zip`].
#[must_use = "a stage does nothing until it is pulled"]
pub struct Zip<P: Pipe, I> {
    up: P,
    other: I,
    /// An item that waits for its partner: to get that one may be given up half-way.
    first: Option<(P::Item, <P::Tags as Named>::Raw)>,
    ended: bool,
}

impl<P: Pipe, I: Iterator> Serial for Zip<P, I> {
    type Item = (P::Item, I::Item);
    type Marker = P::Marker;
    type Tags = P::Tags;

    pulls!();

    #[inline]
    fn pull_by<W: Way>(&mut self) -> Option<Given<Self>> {
        if self.ended {
            return None;
        }
        if self.first.is_none() {
            match W::pull(&mut self.up)? {
                Envelope::Item(x, g) => self.first = Some((x, g)),
                Envelope::Mark(m, g) => return Some(Envelope::Mark(m, g)),
                Envelope::Gap(gap, g) => return Some(Envelope::Gap(gap, g)),
            }
        }
        let second = self.other.next();
        let (x, g) = self.first.take()?;
        self.ended = second.is_none();
        match second {
            Some(y) => Some(Envelope::Item((x, y), g)),
            // inside an order the item without a partner leaves its gap behind
            None => Envelope::gap(g),
        }
    }

    fn describe(&self, survey: &mut Survey) {
        survey.join(&self.other);
    }

    fn upstream(&mut self) -> Option<&mut dyn Upstream> {
        Some(&mut self.up)
    }

    fn finish(&mut self) -> Result<(), Error> {
        // what may have failed beyond was not asked for
        if self.ended { Ok(()) } else { self.up.finish() }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let ((a, b), (c, d)) = (self.up.size_hint(), self.other.size_hint());
        (a.min(c), b.into_iter().chain(d).min())
    }
}

impl<P: Pipe + fmt::Debug, I> fmt::Debug for Zip<P, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Zip").field("up", &self.up).finish_non_exhaustive()
    }
}
