//! `marker::until(m)`: one puller at a time.
use crate::Error;
use crate::graph::Kind;
use crate::locked::{Given, Locked, Serial, pulls};
use crate::marker::{Has, Place};
use crate::monitor::Survey;
use crate::pipe::{Envelope, Pipe, Upstream, Way};
use crate::post::Post;
use std::fmt;
use std::marker::PhantomData;

/// Ends at the marker `m` (with [`Any`](crate::marker::Any), in `pipeline!` without `m`, at any), and consumes it. The
/// upstream goes on: pull it by `&mut pipe`, or as a shared track.
///
/// ```
/// use tinypl::pipeline;
///
/// pipeline! { let mut groups = range(6) |> m @ marker::insert_periodic(2); }
/// let sums: Vec<i32> = (0..3).map(|_| pipeline! { &mut groups |> marker::until(m) |> fold(0, |a, b| a + b) }).collect();
/// assert_eq!(sums, [1, 5, 9]);
/// ```
#[track_caller]
pub fn until<P: Pipe<Marker: Has<M, I>>, M, I: Place<P::Marker>>(up: P, _: M) -> Locked<Until<P, I>> {
    Locked::new(Until { up, ended: false, place: PhantomData }, Post::here("marker::until"))
}

/// The stage of [`until`]. `I` says where in the stream's markers to look.
#[must_use = "a stage does nothing until it is pulled"]
pub struct Until<P, I> {
    up: P,
    ended: bool,
    place: PhantomData<fn() -> I>,
}

impl<P: Pipe, I: Place<P::Marker>> Serial for Until<P, I> {
    type Item = P::Item;
    type Marker = P::Marker;
    type Tags = P::Tags;

    pulls!();

    #[inline]
    fn pull_by<W: Way>(&mut self) -> Option<Given<Self>> {
        if self.ended {
            return None;
        }
        match W::pull(&mut self.up)? {
            Envelope::Mark(m, g) if I::is(&m) => {
                self.ended = true;
                // inside an order the marker leaves its gap behind
                Envelope::gap(g)
            }
            signal => Some(signal),
        }
    }

    fn describe(&self, survey: &mut Survey) {
        survey.kind(Kind::Marker).marker::<P::Marker, I>();
    }

    fn upstream(&mut self) -> Option<&mut dyn Upstream> {
        Some(&mut self.up)
    }

    fn finish(&mut self) -> Result<(), Error> {
        // what may have failed beyond was not asked for
        if self.ended { Ok(()) } else { self.up.finish() }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, self.up.size_hint().1)
    }
}

impl<P: fmt::Debug, I> fmt::Debug for Until<P, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Until").field("ended", &self.ended).field("up", &self.up).finish()
    }
}
