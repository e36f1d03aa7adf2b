//! `skip(n)`: one puller at a time.
use crate::locked::{Given, Locked, Serial, pulls};
use crate::monitor::Survey;
use crate::pipe::{Envelope, Pipe, Upstream, Way};
use crate::post::Post;
use std::fmt;

/// All items but the first `n`. Markers pass, those among the skipped items too.
///
/// ```
/// use tinypl::pipeline;
///
/// assert_eq!(pipeline! { range(4) |> skip(2) |> collect::<Vec<_>>() }, [2, 3]);
/// ```
#[track_caller]
pub fn skip<P: Pipe>(up: P, n: usize) -> Locked<Skip<P>> {
    Locked::new(Skip { up, n, left: n }, Post::here("skip"))
}

/// The stage of [`skip`].
#[must_use = "a stage does nothing until it is pulled"]
pub struct Skip<P> {
    up: P,
    n: usize,
    left: usize,
}

impl<P: Pipe> Serial for Skip<P> {
    type Item = P::Item;
    type Marker = P::Marker;
    type Tags = P::Tags;

    pulls!();

    #[inline]
    fn pull_by<W: Way>(&mut self) -> Option<Given<Self>> {
        loop {
            match W::pull(&mut self.up)? {
                Envelope::Item(_, g) if self.left > 0 => {
                    self.left -= 1;
                    if let Some(gap) = Envelope::gap(g) {
                        return Some(gap);
                    }
                }
                signal => return Some(signal),
            }
        }
    }

    fn describe(&self, survey: &mut Survey) {
        survey.option("n", self.n);
    }

    fn upstream(&mut self) -> Option<&mut dyn Upstream> {
        Some(&mut self.up)
    }

    #[inline]
    fn ready(&mut self) -> usize {
        self.up.ready().saturating_sub(self.left)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let (least, most) = self.up.size_hint();
        (least.saturating_sub(self.left), most.map(|n| n.saturating_sub(self.left)))
    }
}

impl<P: fmt::Debug> fmt::Debug for Skip<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Skip").field("left", &self.left).field("up", &self.up).finish()
    }
}
