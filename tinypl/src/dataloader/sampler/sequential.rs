//! `sampler::sequential()`
use super::shard::epochs_and_shard;
use super::{Numbers, Sampler, Shard};
use std::iter::StepBy;
use std::ops::Range;

/// The samples in the order of the dataset, in each epoch.
///
/// ```
/// use tinypl::dataloader::sampler;
/// use tinypl::{dataloader, pipeline};
///
/// let numbers = || dataloader::from_fn(10, |index| index);
/// let endless = pipeline! { dataloader::load(numbers(), batchsize = 4) |> take(3) |> collect::<Vec<_>>() };
/// assert_eq!(endless, [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 0, 1]]);
///
/// let second = sampler::sequential().epochs(1).shard(1, 3);
/// let part = pipeline! { dataloader::load(numbers(), batchsize = 4, sampler = second) |> collect::<Vec<_>>() };
/// assert_eq!(part, [[1, 4, 7]]);
/// ```
pub fn sequential() -> Sequential {
    Sequential { epochs: None, shard: Shard::ALL }
}

/// The sampler of [`sequential`].
#[derive(Clone, Copy, Debug)]
#[must_use = "a sampler does nothing until a loader has it"]
pub struct Sequential {
    epochs: Option<u64>,
    shard: Shard,
}

impl Sequential {
    epochs_and_shard!();
}

impl Sampler for Sequential {
    type Epochs = SequentialEpochs;

    fn over(self, len: usize) -> SequentialEpochs {
        SequentialEpochs { numbers: Numbers::until(self.epochs), len, shard: self.shard }
    }

    fn epoch_len(&self, len: usize) -> Option<usize> {
        Some(self.shard.len(len))
    }

    fn title(&self) -> &'static str {
        "load: sampler (sequential)"
    }
}

/// The epochs of [`sequential`].
#[derive(Clone, Debug)]
pub struct SequentialEpochs {
    numbers: Numbers,
    len: usize,
    shard: Shard,
}

impl Iterator for SequentialEpochs {
    type Item = StepBy<Range<usize>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.numbers.next().map(|_| self.shard.places(self.len))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.numbers.size_hint()
    }
}
