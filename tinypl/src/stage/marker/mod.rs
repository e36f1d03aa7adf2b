//! Stages for markers: [`insert_periodic`], [`on`], [`until`].
mod insert_periodic;
mod on;
mod until;

pub(crate) use insert_periodic::branded;
pub use insert_periodic::{InsertPeriodic, Inserting, insert_periodic};
pub use on::{On, OnConsumed, on, on_mut};
pub use until::{Until, until};
