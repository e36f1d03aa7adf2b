//! The data loader: samples of a dataset, in batches, epoch after epoch, loaded by whoever pulls, by threads or by processes.
//!
//! ```
//! use tinypl::{dataloader, pipeline};
//!
//! let images = dataloader::from_fn(6, |index| vec![index as f32; 4]);     // a sample: 4 pixels
//! pipeline! {
//!     let mut batches = e @ dataloader::load(images, batchsize = 4, sampler = sampler::shuffle(42).epochs(2),
//!                                            map = thread(workers = 2), collate = |images| images.concat(),
//!                                            epoch_end = keep_last);
//! }
//! let sizes: Vec<usize> = pipeline! { &mut batches |> marker::until(e) |> map(|batch| batch.len()) |> collect() };
//! assert_eq!(sizes, [16, 8]);                                             // one epoch
//! assert_eq!(batches.count(), 2);                                         // the other one
//! ```
//!
//! - [`load`] says what the options are. It is a composition of stages that are there without it.
//! - A [`Dataset`] has samples by index; [`sampler`] says which come when; [`from_fn`] and [`augment`] make datasets of functions,
//!   and [`located`] says of each sample whose it is.
//! - [`rng`](rng()) gives the random numbers for one sample in one epoch. The same seed gives the same batches and the same
//!   augmentations, with any number of workers of any kind, on any machine.
//!
//! Whoever loads, the batches come in the sampler's order.
mod augment;
mod build;
mod carried;
mod collate;
mod dataset;
mod epochs;
mod error;
mod from_fn;
mod loaded;
mod loader;
mod located;
mod mode;
mod position;
#[cfg(all(feature = "process", target_os = "linux"))]
mod process;
mod reads;
mod rng;
pub mod sampler;
mod work;

pub use augment::{Augment, augment};
pub use build::{Build, Marking};
pub use collate::{Collate, Gather};
pub use dataset::Dataset;
pub use error::SampleError;
pub use from_fn::{FromFn, from_fn};
pub use loaded::Loaded;
pub use loader::{Apart, Batchsize, EpochEnd, Load, Marked, Marks, NoBatchsize, Together, Unmarked, load};
pub use located::{Located, located};
pub use mode::{Mode, Serial, Threads, thread};
pub use position::Position;
#[cfg(all(feature = "process", target_os = "linux"))]
pub use process::{Processes, process};
/// The crate by whose traits the generator of [`rng`](rng()) is used.
pub use rand;
pub use reads::{Fallibly, Reads, Surely};
pub use rng::{Rng, rng};
pub use sampler::Sampler;
