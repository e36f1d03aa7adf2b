//! A sample that could not be loaded.
use super::position::Position;
#[cfg(all(feature = "process", target_os = "linux"))]
use serde::{Deserialize, Serialize};
use std::error::Error as StdError;
use std::fmt;

/// Why a sample could not be loaded: the `source` of the pipeline's [`Error`](crate::Error).
///
/// ```
/// use tinypl::dataloader::{self, SampleError};
/// use tinypl::pipeline;
/// use std::error::Error;
///
/// let texts = dataloader::from_fn(4, |index| ["1", "2", "three", "4"][index].parse::<i32>());
/// let numbers = pipeline! { dataloader::load(texts, batchsize = 2, fallible = true) |> try_collect::<Vec<_>>() };
/// let error = numbers.unwrap_err();
/// assert_eq!(error.message(), "sample 2 of epoch 0: invalid digit found in string");
///
/// let sample = error.source().unwrap().downcast_ref::<SampleError>().unwrap();
/// assert_eq!((sample.index(), sample.epoch()), (2, 0));
/// assert!(sample.source().unwrap().is::<std::num::ParseIntError>());
/// ```
#[derive(Debug)]
#[cfg_attr(all(feature = "process", target_os = "linux"), derive(Serialize, Deserialize))]
pub struct SampleError {
    at: Position,
    text: String,
    /// It stays where it came up: from a worker process only its text comes.
    #[cfg_attr(all(feature = "process", target_os = "linux"), serde(skip))]
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl SampleError {
    pub(super) fn new(at: Position, source: Box<dyn StdError + Send + Sync>) -> Self {
        Self { at, text: source.to_string(), source: Some(source) }
    }

    pub(super) fn at(&self) -> Position {
        self.at
    }

    /// The index in the dataset.
    pub fn index(&self) -> usize {
        self.at.index
    }

    /// The number of the epoch, from 0.
    pub fn epoch(&self) -> u64 {
        self.at.epoch
    }
}

impl fmt::Display for SampleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at, self.text)
    }
}

impl StdError for SampleError {
    /// What `get` gave, unless it was in a worker process.
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|error| error as &(dyn StdError + 'static))
    }
}
