//! The data loader: the same batches whoever loads them, and an error that names the sample whatever goes wrong.
#[macro_use]
mod modes;

mod batches;
mod datasets;
mod failures;
mod lengths;
mod options;
mod report;
mod same;
mod samplers;

use tinypl::dataloader::{FromFn, from_fn};

/// Samples that are their indices: one type, whichever test asks, so that its loaders are compiled once.
fn numbers(n: usize) -> FromFn<impl Fn(usize) -> usize + Copy + Send + Sync + 'static> {
    from_fn(n, |i| i)
}
