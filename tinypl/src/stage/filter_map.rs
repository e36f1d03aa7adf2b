//! `filter_map(f)`: run by whoever pulls.
use crate::func::{Exclusive, Func};
use crate::monitor::{Counted, Survey};
use crate::pipe::{Below, Envelope, Pipe, Pulled, Ride, Signal, Stepped, Unwatched, Watched, Way, through};
use crate::post::{Call, Post};
use crate::stage::steps::sifting;
use std::fmt;
use std::ops::ControlFlow;

/// Applies `f`, and keeps what it gives as `Some`.
///
/// ```
/// use tinypl::pipeline;
///
/// let numbers: Vec<i32> = pipeline! { ["1", "x", "3"] |> filter_map(|s| s.parse().ok()) |> collect() };
/// assert_eq!(numbers, [1, 3]);
/// ```
///
/// # Panics
/// A panic of `f` ends the pipeline with an [`Error`](crate::Error) that names this stage and the item.
#[track_caller]
pub fn filter_map<P: Pipe, F: Fn(P::Item) -> Option<R>, R>(up: P, f: F) -> FilterMap<P, F> {
    FilterMap { up, f, given: 0, post: Post::here("filter_map") }
}

/// [`filter_map`] for a function that changes what it captured: one thread at a time pulls it.
///
/// ```
/// use tinypl::{Pipeline, filter_map_mut, source};
///
/// let mut last = 0;
/// let steps_up = |x: i32| (x > std::mem::replace(&mut last, x)).then_some(x);
/// assert!(Pipeline::new(filter_map_mut(source([3, 2, 5]), steps_up)).eq([3, 5]));
/// ```
#[track_caller]
pub fn filter_map_mut<P: Pipe, F: FnMut(P::Item) -> Option<R>, R>(up: P, f: F) -> FilterMap<P, Exclusive<F>> {
    FilterMap { up, f: Exclusive::new(f), given: 0, post: Post::here("filter_map") }
}

/// The stage of [`filter_map`].
#[must_use = "a stage does nothing until it is pulled"]
pub struct FilterMap<P, F> {
    pub(crate) up: P,
    pub(crate) f: F,
    /// Items, by the one puller.
    pub(crate) given: u64,
    pub(crate) post: Post,
}

/// What becomes of a signal: another item, its gap, or nothing.
#[inline(always)]
fn sift<T, U, M, G: Ride>(
    signal: Envelope<T, M, G>,
    call: Call<'_>,
    f: impl FnOnce(T) -> Option<U>,
) -> Option<Envelope<U, M, G>> {
    match signal {
        Envelope::Item(x, g) => {
            let at = call.begin();
            let y = f(x);
            at.left();
            match y {
                Some(y) => Some(Envelope::Item(y, g)),
                None => Envelope::gap(g),
            }
        }
        Envelope::Mark(m, g) => Some(Envelope::Mark(m, g)),
        Envelope::Gap(gap, g) => Some(Envelope::Gap(gap, g)),
    }
}

impl<P: Pipe, F: Func<P::Item, Out = Option<R>>, R> Pipe for FilterMap<P, F> {
    type Item = R;
    sifting!(sift, f);
}

impl<P: fmt::Debug, F> fmt::Debug for FilterMap<P, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FilterMap").field("site", &self.post).field("up", &self.up).finish()
    }
}
