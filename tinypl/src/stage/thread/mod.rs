//! Stages that run on threads: [`queue`], [`map`], [`each`], [`map_init`]; and [`mutex`], which keeps them apart.
//!
//! ```
//! use tinypl::pipeline;
//!
//! // four threads run `parse` and `check`, two more run `score`
//! # fn parse(x: i32) -> i32 { x } fn check(x: &i32) -> bool { *x > 3 } fn score(x: i32) -> i32 { x * x }
//! let best = pipeline! {
//!     range(100)
//!         |> map(parse)
//!         |> filter(check)
//!         |> thread::queue(workers = 4)
//!         |> thread::map(score, workers = 2)
//!         |> fold(0, |a, b| a.max(b))
//! };
//! assert_eq!(best, 99 * 99);
//! ```
mod each;
mod map;
mod map_init;
mod mutex;
mod queue;

pub use each::each;
pub(crate) use each::named as named_each;
pub use map::map;
pub(crate) use map::named;
pub(crate) use map_init::named as named_init;
pub use map_init::{MapInit, map_init};
pub use mutex::{Mutexed, mutex};
pub(crate) use queue::queue_as;
#[cfg(feature = "dataloader")]
pub(crate) use queue::queue_at;
pub use queue::{Queue, QueueHandle, queue};
