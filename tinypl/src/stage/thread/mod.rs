//! Stages that run on threads: [`queue`], [`map`], [`each`], [`map_init`]; and [`mutex`], which keeps them apart.
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
pub use queue::{Queue, QueueHandle, queue};
