//! Batches of a dataset, in order.

use crate::datasets::{Dataset, batch};
use crate::work::sum;
use std::sync::Arc;
use tinypl::{dataloader, pipeline};

/// Worker threads load batches; this one receives them.
pub fn batches<D: Dataset>(dataset: &Arc<D>, n: usize, size: usize, workers: usize) -> impl Iterator<Item = Vec<f32>> {
    let (dataset, shared) = (dataset.clone(), dataset.clone());
    let samples = dataloader::from_fn(n, move |index| dataset.get(index));
    pipeline! {
        dataloader::load(samples, batchsize = size, sampler = sampler::sequential().epochs(1), map = thread(workers),
                         collate = move |samples| shared.stack(samples), epoch_end = keep_last)
    }
}

/// Loads `n` samples with workers.
#[inline(never)]
pub fn load<D: Dataset>(n: u64, dataset: &Arc<D>, size: usize, workers: usize) -> u64 {
    digest(&**dataset, size, batches(dataset, n as usize, size, workers))
}

/// The same in a loop, by one thread.
#[inline(never)]
pub fn serial<D: Dataset>(n: u64, dataset: &D, size: usize) -> u64 {
    let n = n as usize;
    digest(dataset, size, (0..n).step_by(size).map(|first| batch(dataset, first, size.min(n - first))))
}

fn digest<D: Dataset>(dataset: &D, size: usize, batches: impl Iterator<Item = Vec<f32>>) -> u64 {
    let firsts = (0..).step_by(size);
    firsts.zip(batches).fold(0, |digest, (first, batch)| sum(digest, dataset.digest(first, &batch)))
}
