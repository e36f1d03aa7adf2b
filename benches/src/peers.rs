//! The same jobs by other means, each with what its documentation recommends, on two threads.
//!
//! The number of workers is a parameter where the library has one; rayon's pool has two threads
//! ([`Options::start`](crate::options::Options::start)).

pub mod marks;
pub mod ordered;
pub mod process;
pub mod shared;
pub mod unordered;

/// The function that a contestant applies to each item.
pub trait Work: Fn(u64) -> u64 + Copy + Send + Sync + 'static {}
impl<F: Fn(u64) -> u64 + Copy + Send + Sync + 'static> Work for F {}
