//! Marks to measure by: two threads apply the function, but nobody receives the results one by
//! one, or memory grows with their number.

use super::Work;
use crate::work::{hash, sum};
use orx_parallel::{IntoParIter, IterIntoParIter, Par};
use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelBridge, ParallelIterator};

/// One thread, no library.
#[inline(never)]
pub fn std_serial(n: u64, f: impl Work) -> u64 {
    (0..n).map(f).fold(0, sum)
}

/// rayon's indexed `par_iter` and a reduction: the limit for two cores.
#[inline(never)]
pub fn rayon_par_iter(n: u64, f: impl Work) -> u64 {
    (0..n as usize).into_par_iter().map(|x| f(x as u64)).reduce(|| 0, sum)
}

/// rayon's `par_bridge` over an iterator, and a reduction.
#[inline(never)]
pub fn rayon_par_bridge(n: u64, f: impl Work) -> u64 {
    (0..n).par_bridge().map(f).reduce(|| 0, sum)
}

/// rayon's indexed `par_iter` into a vector, which is then read in order.
#[inline(never)]
pub fn rayon_collect(n: u64, f: impl Work) -> u64 {
    let mut all = Vec::new();
    (0..n as usize).into_par_iter().map(|x| f(x as u64)).collect_into_vec(&mut all);
    all.into_iter().fold(0, hash)
}

/// orx-parallel over a range, and a reduction.
#[inline(never)]
pub fn orx_range(n: u64, f: impl Work) -> u64 {
    (0..n as usize).into_par().num_threads(2).map(move |x| f(x as u64)).reduce(sum).unwrap_or(0)
}

/// orx-parallel over an iterator, into a vector, which is then read in order.
#[inline(never)]
pub fn orx_collect(n: u64, f: impl Work) -> u64 {
    let all: Vec<u64> = (0..n).iter_into_par().num_threads(2).map(f).collect();
    all.into_iter().fold(0, hash)
}
