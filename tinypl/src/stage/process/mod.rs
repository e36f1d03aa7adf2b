//! Stages that run in worker processes: [`map`], [`each`], [`map_with`], [`map_init`]; and memory that all of them share,
//! [`SharedMemoryRingBuffer`].
//!
//! They differ from `thread::` stages by that one word, and by what processes are for: a crash, a leak, or global state in
//! one worker is no other's.
//!
//! ```
//! use tinypl::pipeline;
//!
//! let squares: Vec<u64> = pipeline! {
//!     range(100_u64) |> o @ order::save(8) |> process::map(|x| x * x, workers = 2) |> order::load(o) |> collect()
//! };
//! assert_eq!(squares[99], 9801);
//! ```
//!
//! A worker is this same executable, started again: before its `main` runs, it turns to its work. So it finds the same
//! functions, and fresh statics: what this process has set up in them is not there, unless it travels as a context
//! ([`map_with`]) or is made anew by a function ([`map_init`]). Functions capture nothing; items and results are serialised
//! by `serde`, as [postcard](https://docs.rs/postcard). A `Vec` of `u8`, `f32` or `f64` that is an item or a result is copied in
//! one piece; one that lies within another type (a tuple, a struct, a data loader's batch) goes element by element, some
//! nanoseconds each, unless that type has its bytes in one piece too, as those of the crate serde_bytes.
//!
//! Processes exist on Linux alone.
mod each;
mod map;
mod map_init;
mod map_with;
mod workers;

pub use crate::crew::OnDeath;
pub use crate::shm::{Backend, Load, Reserved, Room, SharedMemoryRingBuffer, ShmError, ShmGuard, ShmRef, Store};
#[cfg(feature = "ndarray")]
pub use crate::shm::{NdArray, ReservedArray};
pub use each::each;
pub use map::map;
pub use map_init::map_init;
pub use map_with::map_with;
#[cfg(feature = "dataloader")]
pub(crate) use workers::workers_at;
pub use workers::{Workers, WorkersHandle};
