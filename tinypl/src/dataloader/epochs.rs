//! A sampler's epochs, numbered.
use super::position::Position;
use crate::locked::stopping;
use std::fmt;

/// The epochs of `I`; or, where none of them can give a batch and they never end, why there is nothing to wait for.
pub struct Epochs<I> {
    epochs: I,
    next: u64,
    futile: Option<Futile>,
}

/// Why a loader would look for its first batch for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Futile {
    /// No epoch has a sample.
    #[error("each epoch is empty, and they never end: the dataset (or the shard) has no samples")]
    Empty,
    /// No epoch fills a batch.
    #[error(
        "no epoch fills a batch, `epoch_end = drop_last` drops what does not, and they never end (samples in each: {0})"
    )]
    TooShort(usize),
}

impl<I> Epochs<I> {
    pub(super) fn new(epochs: I, futile: Option<Futile>) -> Self {
        Self { epochs, next: 0, futile }
    }
}

impl<I: Iterator<Item: IntoIterator<Item = usize>>> Iterator for Epochs<I> {
    type Item = Result<Epoch<<I::Item as IntoIterator>::IntoIter>, Futile>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(futile) = self.futile {
            return Some(Err(futile));
        }
        // epochs of a user's sampler may all be empty: whoever looks for a sample among them must be able to stop
        if stopping() {
            return None;
        }
        let indices = self.epochs.next()?.into_iter();
        let number = self.next;
        self.next += 1;
        Some(Ok(Epoch { number, indices }))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.epochs.size_hint()
    }
}

impl<I> fmt::Debug for Epochs<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Epochs").field("next", &self.next).finish_non_exhaustive()
    }
}

/// The positions of one epoch.
pub struct Epoch<I> {
    number: u64,
    indices: I,
}

impl<I: Iterator<Item = usize>> Iterator for Epoch<I> {
    type Item = Position;

    fn next(&mut self) -> Option<Position> {
        self.indices.next().map(|index| Position { epoch: self.number, index })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.indices.size_hint()
    }
}

impl<I> fmt::Debug for Epoch<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Epoch").field("number", &self.number).finish_non_exhaustive()
    }
}
