//! tinypl's side of the races, written as the README would write it.

pub mod figures;
pub mod loader;
pub mod process;
pub mod shared;

use crate::peers::Work;
use crate::work::{hash, sum};
use tinypl::pipeline;

/// `thread::map`, received by a `for` loop, in any order.
#[inline(never)]
pub fn map_for(n: u64, workers: usize, maxsize: usize, f: impl Work) -> u64 {
    let mut digest = 0;
    let results = pipeline! { range(n) |> thread::map(f, workers = workers, maxsize = maxsize) };
    for y in results {
        digest = sum(digest, y);
    }
    digest
}

/// `thread::map`, received by the sink `fold`, in any order.
#[inline(never)]
pub fn map_fold(n: u64, workers: usize, maxsize: usize, f: impl Work) -> u64 {
    pipeline! {
        range(n) |> thread::map(f, workers = workers, maxsize = maxsize) |> fold(0, sum)
    }
}

/// `thread::map` between `order::save` and `order::load`, received by a `for` loop.
#[inline(never)]
pub fn ordered_for(n: u64, workers: usize, maxsize: usize, f: impl Work) -> u64 {
    let mut digest = 0;
    let results = pipeline! {
        range(n)
        |> o @ order::save(maxsize)
        |> thread::map(f, workers = workers, maxsize = maxsize)
        |> order::load(o)
    };
    for y in results {
        digest = hash(digest, y);
    }
    digest
}

/// `thread::map` between `order::save` and `order::load`, received by the sink `fold`.
#[inline(never)]
pub fn ordered_fold(n: u64, workers: usize, maxsize: usize, f: impl Work) -> u64 {
    pipeline! {
        range(n)
        |> o @ order::save(maxsize)
        |> thread::map(f, workers = workers, maxsize = maxsize)
        |> order::load(o)
        |> fold(0, hash)
    }
}
