//! A timeline, for Perfetto and chrome://tracing.
use super::lane::{Doing, Part};

/// One thread's line in it.
#[derive(Debug)]
pub(crate) enum Track {}

impl Track {
    pub(crate) fn waited(&self, _: Doing, _: u64, _: u64) {
        match *self {}
    }

    pub(crate) fn did(&self, _: Part, _: usize, _: u64, _: u64) {
        match *self {}
    }
}
