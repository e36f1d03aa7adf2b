//! `map(f)`: run by whoever pulls.
use crate::func::{Exclusive, Func};
use crate::monitor::Survey;
use crate::pipe::{Below, Envelope, Pipe, Pulled, Ride, Signal, Stepped, Unwatched, Watched, Way, through};
use crate::post::{Call, Post};
use crate::stage::steps::one_for_one;
use std::fmt;
use std::ops::ControlFlow;

/// Applies `f` to each item.
///
/// `f` may be called by several threads at once, if a queue stands below; [`map_mut`] is for a function that changes what
/// it captured. In `pipeline!`, `map(f)` is whichever fits.
///
/// ```
/// use tinypl::{Pipeline, map, pipeline, source};
///
/// let tens: Vec<_> = pipeline! { range(3) |> map(|x| 10 * x) |> collect() };
/// assert_eq!(tens, [0, 10, 20]);
/// // by hand
/// assert_eq!(Pipeline::new(map(source(0..3), |x| 10 * x)).count(), 3);
/// ```
///
/// # Panics
/// A panic of `f` ends the pipeline with an [`Error`](crate::Error) that names this stage and the item.
#[track_caller]
pub fn map<P: Pipe, F: Fn(P::Item) -> R, R>(up: P, f: F) -> Map<P, F> {
    Map { up, f, post: Post::here("map") }
}

/// [`map`] for a function that changes what it captured: one thread at a time pulls it.
///
/// ```
/// use tinypl::{Pipeline, map_mut, source};
///
/// let mut sum = 0;
/// let sums = Pipeline::new(map_mut(source(1..4), |x| { sum += x; sum }));
/// assert_eq!(sums.collect::<Vec<_>>(), [1, 3, 6]);
/// ```
#[track_caller]
pub fn map_mut<P: Pipe, F: FnMut(P::Item) -> R, R>(up: P, f: F) -> Map<P, Exclusive<F>> {
    Map { up, f: Exclusive::new(f), post: Post::here("map") }
}

/// The stage of [`map`].
#[must_use = "a stage does nothing until it is pulled"]
pub struct Map<P, F> {
    pub(crate) up: P,
    pub(crate) f: F,
    pub(crate) post: Post,
}

/// The signal with what `f` makes of its item.
#[inline(always)]
fn apply<T, U, M, G: Ride>(signal: Envelope<T, M, G>, call: Call<'_>, f: impl FnOnce(T) -> U) -> Envelope<U, M, G> {
    match signal {
        Envelope::Item(x, g) => {
            let at = call.begin();
            let y = f(x);
            at.left();
            Envelope::Item(y, g)
        }
        Envelope::Mark(m, g) => Envelope::Mark(m, g),
        Envelope::Gap(gap, g) => Envelope::Gap(gap, g),
    }
}

impl<P: Pipe, F: Func<P::Item>> Pipe for Map<P, F> {
    type Item = F::Out;
    through!();

    one_for_one!(apply, f);
}

impl<P: fmt::Debug, F> fmt::Debug for Map<P, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Map").field("site", &self.post).field("up", &self.up).finish()
    }
}
