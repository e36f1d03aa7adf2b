//! `filter(pred)`: run by whoever pulls.
use crate::func::{Exclusive, Func};
use crate::monitor::{Counted, Survey};
use crate::pipe::{Below, Envelope, Pipe, Pulled, Ride, Signal, Stepped, Unwatched, Watched, Way, through};
use crate::post::{Call, Post};
use crate::stage::steps::sifting;
use std::fmt;
use std::ops::ControlFlow;

/// Keeps the items for which `pred(&item)` is true.
///
/// ```
/// use tinypl::pipeline;
///
/// let even: Vec<_> = pipeline! { range(6) |> filter(|x| x % 2 == 0) |> collect() };
/// assert_eq!(even, [0, 2, 4]);
/// ```
///
/// # Panics
/// A panic of `pred` ends the pipeline with an [`Error`](crate::Error) that names this stage and the item.
#[track_caller]
pub fn filter<P: Pipe, F: Fn(&P::Item) -> bool>(up: P, pred: F) -> Filter<P, F> {
    Filter { up, pred, given: 0, post: Post::here("filter") }
}

/// [`filter`] for a function that changes what it captured: one thread at a time pulls it.
///
/// ```
/// use tinypl::{Pipeline, filter_mut, source};
///
/// let mut last = None;
/// let is_new = |x: &i32| last.replace(*x) != Some(*x);
/// assert!(Pipeline::new(filter_mut(source([1, 1, 2, 1]), is_new)).eq([1, 2, 1]));
/// ```
#[track_caller]
pub fn filter_mut<P: Pipe, F: FnMut(&P::Item) -> bool>(up: P, pred: F) -> Filter<P, Exclusive<F>> {
    Filter { up, pred: Exclusive::new(pred), given: 0, post: Post::here("filter") }
}

/// The stage of [`filter`].
#[must_use = "a stage does nothing until it is pulled"]
pub struct Filter<P, F> {
    pub(crate) up: P,
    pub(crate) pred: F,
    /// Items, by the one puller.
    pub(crate) given: u64,
    pub(crate) post: Post,
}

/// What is left of a signal: itself, its gap, or nothing.
#[inline(always)]
fn sift<T, M, G: Ride>(
    signal: Envelope<T, M, G>,
    call: Call<'_>,
    keep: impl FnOnce(&T) -> bool,
) -> Option<Envelope<T, M, G>> {
    match signal {
        Envelope::Item(x, g) => {
            let at = call.begin();
            let kept = keep(&x);
            at.left();
            if kept { Some(Envelope::Item(x, g)) } else { Envelope::gap(g) }
        }
        other => Some(other),
    }
}

impl<P: Pipe, F: for<'a> Func<&'a P::Item, Out = bool>> Pipe for Filter<P, F> {
    type Item = P::Item;
    sifting!(sift, pred);
}

impl<P: fmt::Debug, F> fmt::Debug for Filter<P, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Filter").field("site", &self.post).field("up", &self.up).finish()
    }
}
