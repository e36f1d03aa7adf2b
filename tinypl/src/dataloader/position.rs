//! A sample's place in the training.
use super::rng::{Rng, rng};
#[cfg(all(feature = "process", target_os = "linux"))]
use serde::{Deserialize, Serialize};
use std::fmt;

/// Which sample, and in which epoch: what [`Dataset::get_at`](super::Dataset::get_at) is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(all(feature = "process", target_os = "linux"), derive(Serialize, Deserialize))]
pub struct Position {
    /// The number of the epoch, from 0.
    pub epoch: u64,
    /// The index in the dataset.
    pub index: usize,
}

impl Position {
    /// The generator of this sample in this epoch: [`rng(seed, epoch, index)`](super::rng()).
    pub fn rng(self, seed: u64) -> Rng {
        rng(seed, self.epoch, self.index)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sample {} of epoch {}", self.index, self.epoch)
    }
}

/// The samples of a batch, for errors: `samples 8, 9 of epoch 0 and 0, 1 of epoch 1`.
pub(super) fn list(positions: &[Position]) -> String {
    if let [only] = positions {
        return only.to_string();
    }
    let epochs = positions.chunk_by(|a, b| a.epoch == b.epoch).map(|epoch| {
        let indices: Vec<String> = epoch.iter().map(|at| at.index.to_string()).collect();
        let number = epoch.first().map_or(0, |first| first.epoch);
        format!("{} of epoch {number}", indices.join(", "))
    });
    format!("samples {}", epochs.collect::<Vec<_>>().join(" and "))
}
