//! tinypl beside its peers, in one run: contestants, the race between them, and the tables.
//!
//! `README.md` of this package says how to run them and how to read the tables.
#![forbid(unsafe_code)]

pub mod datasets;
pub mod jobs;
pub mod options;
pub mod ours;
pub mod peers;
pub mod race;
pub mod table;
pub mod usage;
pub mod work;
