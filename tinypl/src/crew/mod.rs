//! Worker processes: how one is started, what it is told, and what happens when it dies.
mod body;
#[cfg_attr(not(loom), expect(unsafe_code, reason = "atomics in memory that two processes share"))]
mod cells;
mod desk;
mod driver;
#[expect(unsafe_code, reason = "a constructor that runs before `main`, and functions that travel as offsets")]
mod entry;
mod feed;
mod feeder;
#[cfg(fuzzing)]
pub mod fuzzing;
pub(crate) mod jam;
mod ledger;
pub(crate) mod luggage;
#[cfg(all(test, loom))]
mod models;
mod options;
mod page;
mod plain;
mod shared;
mod start;
#[expect(unsafe_code, reason = "functions that travel as offsets")]
mod task;
mod typed;
mod wakeful;
mod why;
mod wire;
#[expect(unsafe_code, reason = "it calls what was sent as an offset")]
mod worker;

#[cfg(any(feature = "progress", feature = "watch"))]
pub(crate) use entry::in_worker;
pub use entry::init;
pub(crate) use feeder::FEEDERS;
#[cfg(feature = "dataloader")]
pub(crate) use luggage::is_unpacking as is_in_luggage;
#[cfg(feature = "dataloader")]
pub(crate) use options::About;
pub use options::OnDeath;
pub(crate) use options::Options;
pub(crate) use shared::Shared;
#[cfg(feature = "dataloader")]
pub(crate) use task::out_of_nothing;
pub(crate) use task::{Each, Map, MapInit, MapWith, Task};
pub(crate) use typed::{Context, Crew, pack};
pub(crate) use why::decode;
pub(crate) use wire::encode;
pub(crate) use worker::waits;
