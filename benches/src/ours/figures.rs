//! Pipelines whose figures are asked for.

use crate::peers::Work;
use crate::work::sum;
use std::path::Path;
use tinypl::pipeline;

/// Who looks at a pipeline.
#[derive(Clone, Copy, Debug)]
pub enum Look<'a> {
    /// Nobody.
    Not,
    /// Its monitor was asked for.
    Watched,
    /// And its timeline.
    Traced(&'a Path),
}

/// `thread::map` with 2 workers, received by a `for` loop.
///
/// # Panics
/// If the timeline can't be written.
#[inline(never)]
pub fn map(n: u64, maxsize: usize, f: impl Work, look: Look) -> u64 {
    let mut digest = 0;
    let mut results = pipeline! { range(n) |> thread::map(f, workers = 2, maxsize = maxsize) };
    match look {
        Look::Not => {}
        Look::Watched => drop(results.monitor()),
        Look::Traced(path) => results.monitor().trace(path).expect("a file can be written"),
    }
    for y in results {
        digest = sum(digest, y);
    }
    digest
}
