//! `dataloader::load(dataset)` and its options.
use super::build::Build;
use super::carried::Carried;
use super::collate::Gather;
use super::dataset::Dataset;
use super::loaded::Loaded;
use super::mode::Serial;
use super::reads::{Fallibly, Reads, Surely};
use super::sampler::{Sampler, Sequential, sequential};
use crate::error::Site;
use crate::expansion::closure::Collates;
use std::fmt;
use std::marker::PhantomData;

/// Batches of a dataset's samples, epoch after epoch.
///
/// Set [`batchsize`](Load::batchsize), and what else differs from its default; then [`build`](Load::build) makes the stream. In
/// `pipeline!` it is a source, and the options are arguments:
///
/// ```
/// use tinypl::dataloader::{self, EpochEnd, sampler};
/// use tinypl::{Pipeline, pipeline};
///
/// let samples = vec![0, 1, 2, 3, 4];
/// let sum = |samples: Vec<i32>| samples.iter().sum::<i32>();
///
/// let sums: Vec<i32> = pipeline! {
///     dataloader::load(&samples, batchsize = 2, sampler = sampler::sequential().epochs(2), collate = sum,
///                      epoch_end = drop_last)
///     |> collect()
/// };
/// assert_eq!(sums, [1, 5, 1, 5]);
///
/// // by hand
/// let loader = dataloader::load(&samples).batchsize(2).sampler(sampler::sequential().epochs(2)).collate(sum);
/// let batches = Pipeline::new(loader.epoch_end(EpochEnd::DropLast).build());
/// assert_eq!(batches.collect::<Vec<_>>(), [1, 5, 1, 5]);
/// ```
///
/// # Errors
/// An `Err` of the dataset's `get` (with [`fallible`](Load::fallible)) and an index that is out of range end the pipeline with
/// an [`Error`](crate::Error) that names the sample; the batches before it come first. A panic in `get` or `collate`, and the
/// death of a worker process, end it with one that names the sample, or the samples of the batch. Epochs that never end
/// and never give a batch are an error, too.
#[track_caller]
pub fn load<D: Dataset>(dataset: D) -> Load<D> {
    Load {
        dataset,
        batchsize: NoBatchsize,
        sampler: sequential(),
        map: Serial,
        place: Together,
        collate: Gather,
        epoch_end: EpochEnd::Ignore,
        reads: PhantomData,
        marking: PhantomData,
        site: Site::here("dataloader::load"),
    }
}

/// What becomes of the samples at the end of an epoch that don't fill a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EpochEnd {
    /// The next epoch's samples fill it: batches run across epochs. After the last epoch it is short.
    #[default]
    Ignore,
    /// They are a short batch.
    KeepLast,
    /// They are left out: all batches have the same size.
    DropLast,
}

/// The data loader of [`load`], with its options so far.
///
/// The parameters are what the options say: the dataset, the size of a batch, the sampler, who loads (`M`), where collating
/// happens (`K`), by what (`C`), whether loading may fail (`R`), and whether there is a marker at the end of an epoch (`E`).
#[must_use = "a data loader does nothing until it is built and pulled"]
pub struct Load<D, N = NoBatchsize, S = Sequential, M = Serial, K = Together, C = Gather, R = Surely, E = Unmarked> {
    pub(super) dataset: D,
    pub(super) batchsize: N,
    pub(super) sampler: S,
    pub(super) map: M,
    pub(super) place: K,
    pub(super) collate: C,
    pub(super) epoch_end: EpochEnd,
    pub(super) reads: PhantomData<fn() -> R>,
    pub(super) marking: PhantomData<fn() -> E>,
    pub(super) site: Site,
}

/// No `batchsize` was said.
#[derive(Clone, Copy, Debug)]
pub struct NoBatchsize;

/// How many samples a batch has.
#[derive(Clone, Copy, Debug)]
pub struct Batchsize(pub(super) usize);

/// A batch is collated where it is loaded.
#[derive(Clone, Copy, Debug)]
pub struct Together;

/// Samples are loaded one by one, and collating is a stage of its own.
#[derive(Clone, Copy, Debug)]
pub struct Apart<K>(pub(super) K);

/// No marker at the end of an epoch.
#[derive(Clone, Copy, Debug)]
pub struct Unmarked;

/// A marker at the end of each epoch. `B` is its name.
#[derive(Clone, Copy, Debug)]
pub struct Marked<B>(PhantomData<fn() -> B>);

/// The same loader with one field, and its type, changed, and these kept.
macro_rules! with {
    ($load:ident, $field:ident = $value:expr, $($kept:ident)*) => {
        Load { $field: $value, $($kept: $load.$kept),* }
    };
}

impl<D, N, S, M, K, C, R, E> Load<D, N, S, M, K, C, R, E> {
    /// How many samples make a batch. It has to be said.
    ///
    /// # Panics
    /// If `n` is 0.
    #[track_caller]
    pub fn batchsize(self, n: usize) -> Load<D, Batchsize, S, M, K, C, R, E> {
        assert!(n > 0, "`batchsize` of `dataloader::load` must be at least 1");
        with!(self, batchsize = Batchsize(n), dataset sampler map place collate epoch_end reads marking site)
    }

    /// Which samples come, in which order. Left out: [`sampler::sequential()`](super::sampler::sequential), for ever.
    pub fn sampler<T: Sampler>(self, sampler: T) -> Load<D, N, T, M, K, C, R, E> {
        with!(self, sampler = sampler, dataset batchsize map place collate epoch_end reads marking site)
    }

    /// Who loads: [`Serial`], [`thread()`](super::thread()) or [`process()`](super::process()). Left out: `Serial`.
    pub fn map<T>(self, mode: T) -> Load<D, N, S, T, K, C, R, E> {
        with!(self, map = mode, dataset batchsize sampler place collate epoch_end reads marking site)
    }

    /// Who collates. Then samples are loaded one by one, so that several workers are at one batch, and collating is a stage of
    /// its own. Left out: whoever loads, which loads a whole batch.
    pub fn collate_map<T>(self, mode: T) -> Load<D, N, S, M, Apart<T>, C, R, E> {
        with!(self, place = Apart(mode), dataset batchsize sampler map collate epoch_end reads marking site)
    }

    /// What becomes of the samples at the end of an epoch that don't fill a batch. Left out: [`EpochEnd::Ignore`].
    pub fn epoch_end(self, epoch_end: EpochEnd) -> Self {
        Self { epoch_end, ..self }
    }

    /// Puts a marker after each epoch's last batch: `e @ dataloader::load(…)` in `pipeline!`. Where batches run across epochs,
    /// it stands after the batch with the epoch's last sample.
    ///
    /// ```
    /// use tinypl::{Pipeline, dataloader, marker};
    ///
    /// let loader = dataloader::load(vec!['a', 'b', 'c']).batchsize(2).epoch_marker().build();
    /// let end = loader.handle();
    /// let epoch = Pipeline::new(marker::until(loader, end));
    /// assert_eq!(epoch.collect::<Vec<_>>(), [['a', 'b'], ['c', 'a']]);
    /// ```
    pub fn epoch_marker(self) -> Load<D, N, S, M, K, C, R, Marked<()>> {
        with!(self, marking = PhantomData, dataset batchsize sampler map place collate epoch_end reads site)
    }
}

/// A loader that may get markers with the name `B`: the macro's `e @`.
pub trait Marks<B> {
    /// The same loader with them.
    type Marked;
    #[doc(hidden)]
    fn marked(self) -> Self::Marked;
}

impl<B, D, N, S, M, K, C, R> Marks<B> for Load<D, N, S, M, K, C, R, Unmarked> {
    type Marked = Load<D, N, S, M, K, C, R, Marked<B>>;

    fn marked(self) -> Self::Marked {
        with!(self, marking = PhantomData, dataset batchsize sampler map place collate epoch_end reads site)
    }
}

impl<D: Dataset, N, S, M, K, C, R: Reads<D>, E> Load<D, N, S, M, K, C, R, E> {
    /// What makes a batch of samples. It runs where the batch is loaded, unless [`collate_map`](Self::collate_map) says otherwise; in
    /// worker processes it captures nothing. Left out: the batch is the `Vec`.
    pub fn collate<F: Fn(Vec<R::Sample>) -> B, B>(self, f: F) -> Load<D, N, S, M, K, Carried<F>, R, E> {
        with!(self, collate = Carried(f), dataset batchsize sampler map place epoch_end reads marking site)
    }
}

/// What the macro calls in the place of the setters above: the same, checked in its own words.
#[doc(hidden)]
impl<D: Dataset, N, S, M, K, C, R: Reads<D>, E> Load<D, N, S, M, K, C, R, E> {
    pub fn collated<F: Collates<R::Sample, B, Q>, B, Q>(self, f: F) -> Load<D, N, S, M, K, Carried<F::Held>, R, E> {
        with!(self, collate = Carried(f.hold()), dataset batchsize sampler map place epoch_end reads marking site)
    }
}

impl<D, N, S, M, K, E> Load<D, N, S, M, K, Gather, Surely, E> {
    /// The dataset's samples are `Result`s, of which an `Err` ends the pipeline with an error that names the sample. It is said
    /// before [`collate`](Self::collate), which gets what is in the `Ok`s.
    ///
    /// ```
    /// use tinypl::{Pipeline, dataloader};
    ///
    /// let samples = dataloader::from_fn(10, |i| if i < 3 { Ok(i) } else { Err(format!("no file {i}")) });
    /// let mut batches = Pipeline::new(dataloader::load(samples).batchsize(2).fallible().collate(|batch| batch.len()).build());
    /// assert_eq!(batches.next(), Some(2));
    /// assert_eq!(batches.try_next().unwrap_err().message(), "sample 3 of epoch 0: no file 3");
    /// ```
    pub fn fallible(self) -> Load<D, N, S, M, K, Gather, Fallibly, E> {
        self.reading()
    }

    pub(crate) fn reading<R>(self) -> Load<D, N, S, M, K, Gather, R, E> {
        with!(self, reads = PhantomData, dataset batchsize sampler map place collate epoch_end marking site)
    }
}

impl<D, N, S, M, K, C, R, E> Load<D, N, S, M, K, C, R, E>
where
    Self: Build<Marking = E>,
{
    /// The stream of batches. Workers start when a [`Pipeline`](crate::Pipeline) is made of it.
    #[track_caller]
    pub fn build(self) -> Loaded<<Self as Build>::Chain, E> {
        Build::chain(self)
    }
}

impl<D, N: fmt::Debug, S, M: fmt::Debug, K: fmt::Debug, C, R, E> fmt::Debug for Load<D, N, S, M, K, C, R, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Load")
            .field("site", &self.site)
            .field("batchsize", &self.batchsize)
            .field("map", &self.map)
            .field("collate_map", &self.place)
            .field("epoch_end", &self.epoch_end)
            .finish_non_exhaustive()
    }
}
