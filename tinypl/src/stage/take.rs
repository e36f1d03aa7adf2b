//! `take(n)`: one puller at a time.
use crate::Error;
use crate::locked::{Given, Locked, Serial, pulls};
use crate::monitor::Survey;
use crate::pipe::{Envelope, Pipe, Upstream, Way};
use crate::post::Post;
use std::fmt;

/// The first `n` items, and the markers before the last of them.
///
/// ```
/// use tinypl::pipeline;
///
/// let mut all = pipeline! { 0.. };
/// assert_eq!(pipeline! { &mut all |> take(2) |> collect::<Vec<_>>() }, [0, 1]);
/// assert_eq!(all.next(), Some(2));
/// ```
#[track_caller]
pub fn take<P: Pipe>(up: P, n: usize) -> Locked<Take<P>> {
    Locked::new(Take { up, n, left: n }, Post::here("take"))
}

/// The stage of [`take`].
#[must_use = "a stage does nothing until it is pulled"]
pub struct Take<P> {
    up: P,
    n: usize,
    left: usize,
}

impl<P: Pipe> Serial for Take<P> {
    type Item = P::Item;
    type Marker = P::Marker;
    type Tags = P::Tags;

    pulls!();

    #[inline]
    fn pull_by<W: Way>(&mut self) -> Option<Given<Self>> {
        if self.left == 0 {
            return None;
        }
        let signal = W::pull(&mut self.up)?;
        self.left -= usize::from(matches!(signal, Envelope::Item(..)));
        Some(signal)
    }

    fn describe(&self, survey: &mut Survey) {
        survey.option("n", self.n);
    }

    fn upstream(&mut self) -> Option<&mut dyn Upstream> {
        Some(&mut self.up)
    }

    #[inline]
    fn ready(&mut self) -> usize {
        self.up.ready().min(self.left)
    }

    fn finish(&mut self) -> Result<(), Error> {
        // what may have failed beyond was not asked for
        if self.left == 0 { Ok(()) } else { self.up.finish() }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let (least, most) = self.up.size_hint();
        (least.min(self.left), Some(most.unwrap_or(self.left).min(self.left)))
    }
}

impl<P: fmt::Debug> fmt::Debug for Take<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Take").field("left", &self.left).field("up", &self.up).finish()
    }
}
