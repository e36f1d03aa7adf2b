//! `augment(dataset, seed, f)`: samples that are changed at random, and always in the same way.
use super::carried::Carried;
use super::dataset::Dataset;
use super::position::Position;
use super::rng::Rng;
#[cfg(all(feature = "process", target_os = "linux"))]
use serde::{Deserialize, Serialize};
use std::fmt;

/// A dataset with `f(sample, rng)` in the place of each sample, where `rng` is [`rng(seed, epoch, index)`](super::rng()): another
/// one in each epoch, and the same in each run, whatever the number of workers.
///
/// It runs where the sample is loaded. To go to worker processes `f` captures nothing.
///
/// ```
/// use tinypl::dataloader::{self, rand::RngExt, sampler};
/// use tinypl::pipeline;
///
/// let noisy = || dataloader::augment(vec![10.0, 20.0, 30.0], 42, |x: f64, rng| x + rng.random_range(-1.0..1.0));
/// let epochs = sampler::sequential().epochs(2);
/// let serial: Vec<_> = pipeline! { dataloader::load(noisy(), batchsize = 3, sampler = epochs) |> collect() };
/// let threads: Vec<_> = pipeline! {
///     dataloader::load(noisy(), batchsize = 3, sampler = epochs, map = thread(workers = 2)) |> collect()
/// };
/// assert_eq!(serial, threads);
/// assert_ne!(serial[0], serial[1]);
/// ```
pub fn augment<D: Dataset, F: Fn(D::Sample, &mut Rng) -> S, S>(dataset: D, seed: u64, f: F) -> Augment<D, F> {
    Augment { dataset, seed, f: Carried(f) }
}

/// The dataset of [`augment`].
#[derive(Clone, Copy)]
#[cfg_attr(
    all(feature = "process", target_os = "linux"),
    derive(Serialize, Deserialize),
    serde(bound(
        serialize = "D: Serialize, F: Copy + 'static",
        deserialize = "D: Deserialize<'de>, F: Copy + 'static"
    ))
)]
pub struct Augment<D, F> {
    dataset: D,
    seed: u64,
    f: Carried<F>,
}

impl<D: Dataset, F: Fn(D::Sample, &mut Rng) -> S, S> Dataset for Augment<D, F> {
    type Sample = S;

    fn len(&self) -> usize {
        self.dataset.len()
    }

    /// As in the first epoch.
    fn get(&self, index: usize) -> S {
        self.get_at(Position { epoch: 0, index })
    }

    fn get_at(&self, at: Position) -> S {
        (self.f.0)(self.dataset.get_at(at), &mut at.rng(self.seed))
    }
}

impl<D: fmt::Debug, F> fmt::Debug for Augment<D, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Augment").field("dataset", &self.dataset).field("seed", &self.seed).finish_non_exhaustive()
    }
}
