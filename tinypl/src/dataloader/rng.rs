//! Random numbers that depend on nothing but what they are for.
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// The generator of [`rng()`]: ChaCha with 8 rounds.
///
/// It gives numbers through the traits of the crate `rand`, which is here as [`dataloader::rand`](super::rand).
pub type Rng = ChaCha8Rng;

/// What a generator is for: the same seed gives the shuffle other numbers than the samples.
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    Sample,
    Shuffle,
}

/// The generator for the augmentation of one sample in one epoch.
///
/// It depends on its three arguments alone: not on the worker that asks, nor on what was drawn before. The same seed gives
/// the same augmentations with any number of workers. Two generators that differ in any argument have nothing in common.
///
/// The words that it gives (`next_u32`, `next_u64`, `fill_bytes`) are those of ChaCha8, keyed by the arguments: the same on
/// every platform and in every version of this crate. What `rand` makes of them (`random_range` and the like) is the same on
/// every platform, and may change with a minor version of `rand`.
///
/// ```
/// use tinypl::dataloader::{self, rand::RngExt};
///
/// let mut first = dataloader::rng(42, 0, 7);
/// let angle: f32 = first.random_range(-10.0..10.0);
/// assert_eq!(angle, dataloader::rng(42, 0, 7).random_range(-10.0..10.0));
/// assert_ne!(angle, dataloader::rng(42, 1, 7).random_range(-10.0..10.0));
/// ```
///
/// [`augment`](super::augment()) gives it to a function that runs where the sample is loaded, [`Dataset::get_at`](super::Dataset::get_at)
/// is told the epoch, and the samples of a [`located`](super::located()) dataset know it in all stages below.
pub fn rng(seed: u64, epoch: u64, index: usize) -> Rng {
    keyed(Purpose::Sample, seed, epoch, index as u64)
}

pub(super) fn keyed(purpose: Purpose, seed: u64, epoch: u64, index: u64) -> Rng {
    let mut key = [0; 32];
    for (bytes, word) in key.chunks_exact_mut(8).zip([seed, epoch, index, purpose as u64]) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    Rng::from_seed(key)
}
