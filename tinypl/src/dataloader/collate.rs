//! Samples to batch.
use super::carried::Carried;
#[cfg(all(feature = "process", target_os = "linux"))]
use serde::{Deserialize, Serialize};

/// What makes a batch of samples: a function of their `Vec`.
pub trait Collate<S> {
    /// The batch.
    type Batch;
    #[doc(hidden)]
    fn collate(&self, samples: Vec<S>) -> Self::Batch;
}

impl<S, B, F: Fn(Vec<S>) -> B> Collate<S> for Carried<F> {
    type Batch = B;

    fn collate(&self, samples: Vec<S>) -> B {
        (self.0)(samples)
    }
}

/// The batch is the `Vec` of its samples.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(all(feature = "process", target_os = "linux"), derive(Serialize, Deserialize))]
pub struct Gather;

impl<S> Collate<S> for Gather {
    type Batch = Vec<S>;

    fn collate(&self, samples: Vec<S>) -> Vec<S> {
        samples
    }
}
