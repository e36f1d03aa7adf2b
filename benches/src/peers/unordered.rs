//! Two or more threads apply the function to the items of an iterator; this thread receives the
//! results, in any order, while at most so many wait.

use super::Work;
use crate::work::sum;
use crossbeam_channel::bounded;
use orx_parallel::{IterIntoParIter, Par};
use pariter::IteratorExt;
use rayon::iter::{ParallelBridge, ParallelIterator};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// rayon's `par_bridge` that sends into a bounded channel.
#[inline(never)]
pub fn rayon_par_bridge(n: u64, maxsize: usize, f: impl Work) -> u64 {
    let (tx, rx) = bounded(maxsize);
    thread::scope(|scope| {
        scope.spawn(move || {
            let results = (0..n).par_bridge().map(f);
            results.for_each_with(tx, |tx, y| tx.send(y).expect("the receiver lives"));
        });
        rx.into_iter().fold(0, sum)
    })
}

/// orx-parallel over an iterator, sending into a bounded channel.
#[inline(never)]
pub fn orx(n: u64, maxsize: usize, f: impl Work) -> u64 {
    let (tx, rx) = bounded(maxsize);
    thread::scope(|scope| {
        scope.spawn(move || {
            let results = (0..n).iter_into_par().num_threads(2).map(f);
            results.for_each(|y| tx.send(y).expect("the receiver lives"));
        });
        rx.into_iter().fold(0, sum)
    })
}

/// pariter's `parallel_map` (it keeps the order, too).
#[inline(never)]
pub fn pariter(n: u64, workers: usize, maxsize: usize, f: impl Work) -> u64 {
    let results = (0..n).parallel_map_custom(|o| o.threads(workers).buffer_size(maxsize), f);
    results.fold(0, sum)
}

/// By hand: one thread feeds a bounded channel, the workers receive and send into another.
#[inline(never)]
pub fn crossbeam(n: u64, workers: usize, maxsize: usize, f: impl Work) -> u64 {
    let (feed, items) = bounded(maxsize);
    let (tx, rx) = bounded(maxsize);
    thread::scope(|scope| {
        scope.spawn(move || (0..n).for_each(|x| feed.send(x).expect("a worker lives")));
        for _ in 0..workers {
            let (items, tx) = (items.clone(), tx.clone());
            scope.spawn(move || {
                items.into_iter().for_each(|x| tx.send(f(x)).expect("the receiver lives"));
            });
        }
        drop((items, tx));
        rx.into_iter().fold(0, sum)
    })
}

/// By hand: the workers take from the iterator under a mutex and send into a bounded channel.
#[inline(never)]
pub fn crossbeam_mutex(n: u64, workers: usize, maxsize: usize, f: impl Work) -> u64 {
    let source = Mutex::new(0..n);
    let (tx, rx) = bounded(maxsize);
    thread::scope(|scope| {
        for _ in 0..workers {
            let (source, tx) = (&source, tx.clone());
            scope.spawn(move || {
                let next = || source.lock().unwrap_or_else(PoisonError::into_inner).next();
                while let Some(x) = next() {
                    tx.send(f(x)).expect("the receiver lives");
                }
            });
        }
        drop(tx);
        rx.into_iter().fold(0, sum)
    })
}
