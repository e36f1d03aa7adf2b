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
