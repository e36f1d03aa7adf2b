//! `from_fn(len, f)`: a dataset that a function makes.
use super::carried::Carried;
use super::dataset::Dataset;
#[cfg(all(feature = "process", target_os = "linux"))]
use serde::{Deserialize, Serialize};
use std::fmt;

/// A dataset of `len` samples, of which `f(index)` gives one.
///
/// To go to worker processes `f` captures nothing: it is a function, or a closure that uses its argument alone.
///
/// ```
/// use tinypl::{dataloader, pipeline};
///
/// let squares = dataloader::from_fn(4, |index| index * index);
/// let batch = pipeline! { dataloader::load(squares, batchsize = 4) |> take(1) |> collect::<Vec<_>>() };
/// assert_eq!(batch, [[0, 1, 4, 9]]);
/// ```
pub fn from_fn<F: Fn(usize) -> S, S>(len: usize, f: F) -> FromFn<F> {
    FromFn { len, f: Carried(f) }
}

/// The dataset of [`from_fn`].
#[derive(Clone, Copy)]
#[cfg_attr(
    all(feature = "process", target_os = "linux"),
    derive(Serialize, Deserialize),
    serde(bound = "F: Copy + 'static")
)]
pub struct FromFn<F> {
    len: usize,
    f: Carried<F>,
}

impl<F: Fn(usize) -> S, S> Dataset for FromFn<F> {
    type Sample = S;

    fn len(&self) -> usize {
        self.len
    }

    fn get(&self, index: usize) -> S {
        (self.f.0)(index)
    }
}

impl<F> fmt::Debug for FromFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FromFn").field("len", &self.len).finish_non_exhaustive()
    }
}
