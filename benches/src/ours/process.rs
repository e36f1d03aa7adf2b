//! Worker processes.

use crate::jobs::{Digest, Job, Travels, add_one};
use crate::work::{spin, sum};
use crossbeam_channel::bounded;
use std::thread;
use std::time::Duration;
use tinypl::pipeline;

/// `process::map` with no work, received by a `for` loop.
#[inline(never)]
pub fn add_one_for(n: u64, workers: usize, maxsize: usize) -> u64 {
    let mut digest = 0;
    for y in pipeline! { range(n) |> process::map(|x| x + 1, workers = workers, maxsize = maxsize) } {
        digest = sum(digest, y);
    }
    digest
}

/// `process::map` with no work, received by the sink `fold`.
#[inline(never)]
pub fn add_one_fold(n: u64, workers: usize, maxsize: usize) -> u64 {
    pipeline! { range(n) |> process::map(|x| x + 1, workers = workers, maxsize = maxsize) |> fold(0, sum) }
}

/// The next item comes when the result of the one before was seen.
#[inline(never)]
pub fn round_trips(n: u64, workers: usize) -> u64 {
    let (tx, rx) = bounded(64);
    let mut pipe = pipeline! { rx |> process::map(add_one, workers = workers, maxsize = 64) };
    let mut digest = 0;
    for x in 0..n {
        tx.send(x).expect("the pipeline lives");
        digest = sum(digest, pipe.next().expect("a result"));
    }
    drop(tx);
    assert_eq!(pipe.next(), None, "more results than items");
    digest
}

/// Work of so many steps, in worker processes.
#[inline(never)]
pub fn work(n: u64, workers: usize, maxsize: usize, steps: u64) -> u64 {
    let mut digest = 0;
    let results = pipeline! {
        range(n) |> process::map_with(steps, |steps, x| spin(*steps, x), workers = workers, maxsize = maxsize)
    };
    for y in results {
        digest = sum(digest, y);
    }
    digest
}

/// A job's items through worker processes.
#[inline(never)]
pub fn map<I: Travels, O: Digest>(n: u64, workers: usize, maxsize: usize, job: Job<I, O>) -> u64 {
    let (make, f) = (job.make, job.f);
    let mut digest = 0;
    for y in pipeline! { range(n) |> map(make) |> process::map(f, workers = workers, maxsize = maxsize) } {
        digest = sum(digest, y.digest());
    }
    digest
}

/// Starts workers, waits until each is ready, gives as many items, and ends them; `n` times.
#[inline(never)]
pub fn start_and_end(n: u64, workers: usize) -> u64 {
    let mut digest = 0;
    for _ in 0..n {
        let (tx, rx) = bounded(workers);
        pipeline! { let pipe = rx |> crew @ process::map(add_one, workers = workers, maxsize = workers); }
        while crew.workers() < workers {
            thread::sleep(Duration::from_micros(50));
        }
        (0..workers as u64).for_each(|x| tx.send(x).expect("the pipeline lives"));
        drop(tx);
        digest = sum(digest, pipe.fold(0, sum));
    }
    digest
}
