//! What samples are taken from.
use super::position::Position;
use std::sync::Arc;

/// A number of samples, each of which can be had by its index.
///
/// A `Vec`, an array, a slice, a reference or an `Arc` of a dataset is one (they clone their samples), and
/// [`from_fn`](super::from_fn) makes one of a function. Where workers load the samples, they share the dataset: threads ask it
/// to be `Send` and `Sync`; processes, `Serialize` and `Deserialize`, for each gets a copy.
///
/// ```
/// use tinypl::{dataloader, pipeline};
///
/// /// The squares of the numbers below `n`.
/// struct Squares {
///     n: usize,
/// }
///
/// impl dataloader::Dataset for Squares {
///     type Sample = usize;
///
///     fn len(&self) -> usize {
///         self.n
///     }
///
///     fn get(&self, index: usize) -> usize {
///         index * index
///     }
/// }
///
/// let batches = pipeline! {
///     dataloader::load(Squares { n: 5 }, batchsize = 2, sampler = sampler::sequential().epochs(1)) |> collect::<Vec<_>>()
/// };
/// assert_eq!(batches, [vec![0, 1], vec![4, 9], vec![16]]);
/// ```
///
/// A sample that depends on the epoch, too, is given by [`get_at`](Self::get_at). Best it is not `use`d where a `Vec` is at
/// hand: its `get` would win over the slice's.
pub trait Dataset {
    /// One sample; a `Result` of one where loading may fail (`fallible = true`).
    type Sample;

    /// How many samples there are.
    fn len(&self) -> usize;

    /// The sample at `index`, which is less than [`len`](Self::len).
    fn get(&self, index: usize) -> Self::Sample;

    /// The sample in an epoch: what the loader calls. Left out, it is `get(at.index)`, the same in each epoch.
    fn get_at(&self, at: Position) -> Self::Sample {
        self.get(at.index)
    }

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T: Clone> Dataset for [T] {
    type Sample = T;

    fn len(&self) -> usize {
        self.len()
    }

    fn get(&self, index: usize) -> T {
        self[index].clone()
    }
}

impl<T: Clone> Dataset for Vec<T> {
    type Sample = T;

    fn len(&self) -> usize {
        self.len()
    }

    fn get(&self, index: usize) -> T {
        self[index].clone()
    }
}

impl<T: Clone, const N: usize> Dataset for [T; N] {
    type Sample = T;

    fn len(&self) -> usize {
        N
    }

    fn get(&self, index: usize) -> T {
        self[index].clone()
    }
}

macro_rules! points_to_one {
    ($($pointer:ty),*) => {$(
        impl<D: Dataset + ?Sized> Dataset for $pointer {
            type Sample = D::Sample;

            fn len(&self) -> usize {
                (**self).len()
            }

            fn get(&self, index: usize) -> D::Sample {
                (**self).get(index)
            }

            fn get_at(&self, at: Position) -> D::Sample {
                (**self).get_at(at)
            }
        }
    )*};
}
points_to_one!(&D, Box<D>, Arc<D>);
