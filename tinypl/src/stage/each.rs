//! `each(f)`: run by whoever pulls.
use crate::func::{Exclusive, Func};
use crate::monitor::Survey;
use crate::pipe::{Below, Envelope, Pipe, Pulled, Ride, Signal, Stepped, Unwatched, Watched, Way, through};
use crate::post::{Call, Post};
use crate::stage::steps::one_for_one;
use std::fmt;
use std::ops::ControlFlow;

/// Calls `f(&item)` for each item, and passes the item on.
///
/// ```
/// use tinypl::pipeline;
///
/// let mut seen = vec![];
/// let n = pipeline! { range(3) |> each(|x| seen.push(*x)) |> count() };
/// assert_eq!((n, seen), (3, vec![0, 1, 2]));
/// ```
///
/// # Panics
/// A panic of `f` ends the pipeline with an [`Error`](crate::Error) that names this stage and the item.
#[track_caller]
pub fn each<P: Pipe, F: Fn(&P::Item)>(up: P, f: F) -> Each<P, F> {
    Each { up, f, post: Post::here("each") }
}

/// [`each`] for a function that changes what it captured: one thread at a time pulls it.
///
/// ```
/// use tinypl::{Pipeline, each_mut, source};
///
/// let mut seen = 0;
/// assert_eq!(Pipeline::new(each_mut(source(1..4), |x| seen += x)).count(), 3);
/// assert_eq!(seen, 6);
/// ```
#[track_caller]
pub fn each_mut<P: Pipe, F: FnMut(&P::Item)>(up: P, f: F) -> Each<P, Exclusive<F>> {
    Each { up, f: Exclusive::new(f), post: Post::here("each") }
}

/// The stage of [`each`].
#[must_use = "a stage does nothing until it is pulled"]
pub struct Each<P, F> {
    pub(crate) up: P,
    pub(crate) f: F,
    pub(crate) post: Post,
}

/// The signal, after `f` has seen its item.
#[inline(always)]
fn apply<T, M, G: Ride>(signal: Envelope<T, M, G>, call: Call<'_>, f: impl FnOnce(&T)) -> Envelope<T, M, G> {
    if let Envelope::Item(x, _) = &signal {
        let at = call.begin();
        f(x);
        at.left();
    }
    signal
}

impl<P: Pipe, F: for<'a> Func<&'a P::Item, Out = ()>> Pipe for Each<P, F> {
    type Item = P::Item;
    through!();

    one_for_one!(apply, f);
}

impl<P: fmt::Debug, F> fmt::Debug for Each<P, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Each").field("site", &self.post).field("up", &self.up).finish()
    }
}
