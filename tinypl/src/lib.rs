//! Data-processing pipelines, statically typed.
//!
//! ```
//! use tinypl::pipeline;
//!
//! let lengths: Vec<usize> = pipeline! {
//!     "to be or not to be".split(' ')
//!         |> order @ order::save(8)
//!         |> thread::map(|word| word.len(), workers = 4)
//!         |> order::load(order)
//!         |> collect()
//! };
//! assert_eq!(lengths, [2, 2, 2, 3, 2, 2]);
//! ```
//!
//! [`pipeline!`] expands, at compile time, into a graph of stage structs; everything it writes can be written by hand with
//! the functions of this crate. The language is described at the macro; a stage's behaviour, options and errors at its
//! function. [`Pipeline`] is what a chain gives, [`Pipe`] what "any stream" is in the signature of an own stage,
//! [`Serial`] how to write one with state. [`dataloader`] composes stages to a data loader for training.
//!
//! [`Pipeline::graph`] draws a pipeline, [`Pipeline::monitor`] shows where its time goes while it runs: a [`Report`] with every
//! stage's figures and the bottleneck in one sentence.
//!
//! # Features
//!
//! - `process` (on by default; Linux): [`process`] and its shared memory.
//! - `dataloader` (on by default): [`dataloader`].
//! - `serde` (with `process`): a [`Report`] can be serialised.
//! - `trace`: [`Monitor::trace`](Monitor#method.trace), timelines for Perfetto.
//! - `progress`: the stage [`progress`](fn.progress.html).
//! - `watch`: [`Monitor::watch`](Monitor#method.watch), the figures in the terminal.
//! - `ndarray`: arrays of that crate in shared memory.
#![deny(unsafe_code)]

#[doc(hidden)]
pub mod __private;
#[cfg(feature = "progress")]
mod bars;
#[cfg(all(feature = "process", target_os = "linux"))]
mod crew;
#[cfg(feature = "dataloader")]
pub mod dataloader;
mod error;
mod expansion;
mod func;
mod graph;
mod locked;
pub mod marker;
mod monitor;
mod pipe;
mod pipeline;
mod pool;
mod post;
#[cfg(all(feature = "process", target_os = "linux"))]
mod shm;
mod stage;
#[cfg(any(feature = "progress", feature = "watch"))]
mod stderr;
mod sync;

#[cfg(all(feature = "process", target_os = "linux"))]
pub use crew::init;
pub use error::{Error, Site};
pub use graph::{Edge, Graph, Kind, Node};
pub use locked::{Given, Locked, Serial, stage, stopping};
#[cfg(feature = "watch")]
pub use monitor::Watch;
pub use monitor::{Fill, Monitor, Report, StageReport, Times};
pub use pipe::{Envelope, Like, Named, Pipe, Plain, Pulled, Ride, Signal, Tagged, Unnamed, Upstream};
pub use pipeline::Pipeline;
pub use pool::OnWorkerError;
#[cfg(all(feature = "process", target_os = "linux"))]
pub use stage::process;
#[cfg(feature = "progress")]
pub use stage::progress;
pub use stage::{
    chain, debug, each, each_mut, enumerate, filter, filter_map, filter_map_mut, filter_mut, flatten, flatten_eager,
    map, map_mut, order, partition, range, ratelimit, share, skip, source, take, thread, try_map, try_map_mut, zip,
};
pub use tinypl_macros::pipeline;

/// The types of the stages, to name them; their functions make them.
pub mod stages {
    pub use crate::pipeline::Borrowed;
    pub use crate::stage::{
        All, Chain, Each, Enumerate, Filter, FilterMap, Flatten, FlattenEager, Groups, Iter, Map, Nowhere, Number,
        Partition, Placing, RateLimit, RateLimitHandle, Share, Skip, Split, Steps, Take, TryMap, Zip,
    };
    #[cfg(feature = "progress")]
    pub use crate::stage::{Progress, ProgressHandle};
}

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
