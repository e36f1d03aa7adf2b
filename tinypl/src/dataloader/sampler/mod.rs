//! Samplers: which samples come, in which order, epoch after epoch.
//!
//! [`sequential`] and [`shuffle`] go on for ever, unless `.epochs(n)` ends them; `.shard(rank, of)` gives each of several
//! trainers its part. Any iterable of epochs, each of which is an iterable of indices, is a sampler, too:
//!
//! ```
//! use tinypl::{dataloader, pipeline};
//!
//! let letters = vec!['a', 'b', 'c', 'd'];
//! let batches: Vec<String> = pipeline! {
//!     dataloader::load(letters, batchsize = 2, sampler = [vec![3, 2], vec![0, 1, 0]], collate = String::from_iter)
//!     |> collect()
//! };
//! assert_eq!(batches, ["dc", "ab", "a"]);
//! ```
mod sequential;
mod shard;
mod shuffle;

pub use sequential::{Sequential, SequentialEpochs, sequential};
pub use shard::Shard;
pub use shuffle::{Shuffle, ShuffleEpochs, shuffle};

/// What says which samples of a dataset come, and in which order.
///
/// It is implemented for whatever can be iterated and gives iterables of indices. One of one's own implements it where it
/// has to know how large the dataset is.
///
/// ```
/// use tinypl::dataloader::{self, Sampler};
/// use tinypl::pipeline;
///
/// /// From the last sample to the first, once.
/// struct Backwards;
///
/// impl Sampler for Backwards {
///     type Epochs = std::iter::Once<std::iter::Rev<std::ops::Range<usize>>>;
///
///     fn over(self, len: usize) -> Self::Epochs {
///         std::iter::once((0..len).rev())
///     }
/// }
///
/// let batches = pipeline! { dataloader::load([1, 2, 3], batchsize = 2, sampler = Backwards) |> collect::<Vec<_>>() };
/// assert_eq!(batches, [vec![3, 2], vec![1]]);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a sampler",
    label = "neither a sampler nor an iterator of epochs of indices",
    note = "write `sampler::sequential()` or `sampler::shuffle(seed)`, or give an iterator of iterators of `usize`"
)]
pub trait Sampler {
    /// The epochs, each of which can be iterated for its indices.
    type Epochs: Iterator<Item: IntoIterator<Item = usize>>;

    /// The epochs over a dataset of `len` samples. It is called once, when the loader is made.
    fn over(self, len: usize) -> Self::Epochs;

    /// How many indices each epoch has, if all have as many: then the loader knows its length.
    fn epoch_len(&self, _len: usize) -> Option<usize> {
        None
    }

    /// What it is called in pictures and reports.
    #[doc(hidden)]
    fn title(&self) -> &'static str {
        "load: sampler"
    }
}

#[diagnostic::do_not_recommend]
impl<I: IntoIterator<Item: IntoIterator<Item = usize>>> Sampler for I {
    type Epochs = I::IntoIter;

    fn over(self, _: usize) -> I::IntoIter {
        self.into_iter()
    }
}

/// The numbers of epochs.
#[derive(Clone, Debug)]
struct Numbers {
    next: u64,
    /// Without it there is no end.
    end: Option<u64>,
}

impl Numbers {
    fn until(end: Option<u64>) -> Self {
        Self { next: 0, end }
    }
}

impl Iterator for Numbers {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        if self.end.is_some_and(|end| self.next >= end) {
            return None;
        }
        let number = self.next;
        self.next += 1;
        Some(number)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.end.map(|end| usize::try_from(end - self.next).unwrap_or(usize::MAX));
        (left.unwrap_or(usize::MAX), left)
    }
}
