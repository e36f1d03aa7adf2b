//! `located(dataset)`: samples that know where they come from.
use super::dataset::Dataset;
use super::position::Position;
#[cfg(all(feature = "process", target_os = "linux"))]
use serde::{Deserialize, Serialize};

/// A dataset with `(position, sample)` in the place of each sample: for stages below the loader that draw random numbers for
/// each sample, or want to know its index.
///
/// ```
/// use tinypl::dataloader::{self, rand::RngExt};
/// use tinypl::pipeline;
///
/// let noise = |(at, x): (dataloader::Position, f64)| -> f64 { x + at.rng(42).random_range(-1.0_f64..1.0) };
/// let noisy = pipeline! {
///     dataloader::load(dataloader::located(vec![10.0, 20.0]), batchsize = 2, sampler = sampler::shuffle(42).epochs(2))
///     |> thread::map(move |batch| batch.into_iter().map(noise).collect::<Vec<_>>(), workers = 2)
///     |> collect::<Vec<_>>()
/// };
/// assert_eq!(noisy.len(), 2);
/// ```
pub fn located<D: Dataset>(dataset: D) -> Located<D> {
    Located { dataset }
}

/// The dataset of [`located`].
#[derive(Clone, Copy, Debug)]
#[cfg_attr(all(feature = "process", target_os = "linux"), derive(Serialize, Deserialize))]
pub struct Located<D> {
    dataset: D,
}

impl<D: Dataset> Dataset for Located<D> {
    type Sample = (Position, D::Sample);

    fn len(&self) -> usize {
        self.dataset.len()
    }

    /// As in the first epoch.
    fn get(&self, index: usize) -> Self::Sample {
        self.get_at(Position { epoch: 0, index })
    }

    fn get_at(&self, at: Position) -> Self::Sample {
        (at, self.dataset.get_at(at))
    }
}
