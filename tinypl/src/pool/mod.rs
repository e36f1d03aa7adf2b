//! What stands behind a queue: worker threads, what is counted and waited for between them and their consumer, and
//! how they end.
mod bell;
mod credits;
#[expect(unsafe_code, reason = "a lock for each item would cost as much as all the rest")]
mod desk;
mod desks;
mod flow;
#[cfg(all(test, loom))]
mod models;
mod output;
pub(crate) mod spawn;
pub(crate) mod stop;
mod turn;
mod worker;

pub(crate) use bell::Bell;
pub(crate) use credits::Credits;
#[cfg(all(feature = "process", target_os = "linux"))]
pub(crate) use desk::{Cursor, Tray};
pub(crate) use desk::{Loading, Seat};
pub(crate) use desks::Desks;
pub use flow::OnWorkerError;
pub(crate) use flow::{Flow, Options};
pub(crate) use output::Output;
#[cfg(all(feature = "process", target_os = "linux"))]
pub(crate) use output::Results;
pub(crate) use turn::Turn;
#[cfg(all(feature = "process", target_os = "linux"))]
pub(crate) use worker::Above;
pub(crate) use worker::Hand;
