//! `filter(pred)`: run by whoever pulls.
use crate::error::{At, Site};
use crate::func::{Exclusive, Func};
use crate::pipe::{Below, Envelope, Pipe, Pulled, Ride, Signal, Stepped, through};
use std::fmt;
use std::hint::black_box;
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
    Filter { up, pred, site: Site::here("filter") }
}

/// [`filter`] for a function that changes what it captured: one thread at a time pulls it.
#[track_caller]
pub fn filter_mut<P: Pipe, F: FnMut(&P::Item) -> bool>(up: P, pred: F) -> Filter<P, Exclusive<F>> {
    Filter { up, pred: Exclusive::new(pred), site: Site::here("filter") }
}

/// The stage of [`filter`].
#[must_use = "a stage does nothing until it is pulled"]
pub struct Filter<P, F> {
    pub(crate) up: P,
    pub(crate) pred: F,
    pub(crate) site: Site,
}

/// What is left of a signal: itself, its gap, or nothing.
#[inline(always)]
fn sift<T, M, G: Ride>(
    signal: Envelope<T, M, G>,
    site: &Site,
    item: Option<u64>,
    keep: impl FnOnce(&T) -> bool,
) -> Option<Envelope<T, M, G>> {
    match signal {
        Envelope::Item(x, g) => {
            let at = At::new(site, item);
            let kept = keep(&x);
            at.left();
            if kept { Some(Envelope::Item(x, g)) } else { Envelope::gap(g) }
        }
        other => Some(other),
    }
}

impl<P: Pipe, F: for<'a> Func<&'a P::Item, Out = bool>> Pipe for Filter<P, F> {
    type Item = P::Item;
    through!();

    #[inline]
    fn pull(&mut self) -> Pulled<Self> {
        loop {
            let signal = self.up.pull()?;
            let number = self.up.number();
            let sifted = sift(signal, &self.site, Some(number), |x| self.pred.call_mut(x));
            if sifted.is_some() {
                return sifted;
            }
            // else LLVM may vectorise the search for the next item, which is 50 times slower where that is near
            black_box(());
        }
    }

    #[inline]
    fn step(&self, local: &mut P::Local, signal: Below<Self>, number: u64) -> Stepped<Self> {
        let Some(signal) = self.up.step(local, signal, number)? else { return Ok(None) };
        Ok(sift(signal, &self.site, Some(number), |x| self.pred.call(x)))
    }

    #[inline]
    fn try_fold<B, C>(
        &mut self,
        init: B,
        mut fold: impl FnMut(B, Signal<Self>) -> ControlFlow<C, B>,
    ) -> ControlFlow<C, B> {
        let Self { up, pred, site } = self;
        up.try_fold(init, |acc, signal| match sift(signal, site, None, |x| pred.call_mut(x)) {
            Some(signal) => fold(acc, signal),
            None => ControlFlow::Continue(acc),
        })
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, self.up.size_hint().1)
    }
}

impl<P: fmt::Debug, F> fmt::Debug for Filter<P, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Filter").field("site", &self.site).field("up", &self.up).finish()
    }
}
