//! What a running pipeline shows of itself.
//!
//! Each stage has a [`Probe`](probe), each thread a [`Lane`](lane) with accounts of its time. They are there from the start
//! where threads are, and idle until somebody asks.
pub(crate) mod lane;
mod probe;
pub(crate) mod sampling;
mod survey;
mod trace;

pub(crate) use probe::Counted;
pub(crate) use probe::Probe;
pub(crate) use survey::Survey;
pub(crate) use survey::{Crew, OWN, brand};
