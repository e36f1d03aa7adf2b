//! Without the feature `trace` there are no timelines.
use super::lane::{Doing, Part};
use super::sampling::Sampled;

/// See `trace.rs`.
#[derive(Debug)]
pub(crate) enum Track {}

impl Track {
    pub(crate) fn waited(&self, _: Doing, _: u64, _: u64) {
        match *self {}
    }

    pub(crate) fn did(&self, _: Part, _: usize, _: u64, _: u64, _: &[Sampled]) {
        match *self {}
    }

    pub(crate) fn called(&self, _: &[Sampled]) {
        match *self {}
    }

    pub(crate) fn flush(&self) {
        match *self {}
    }
}
