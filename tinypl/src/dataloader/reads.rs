//! What `get` gives: a sample, or, with `fallible = true`, maybe none.
use super::dataset::Dataset;
use super::error::SampleError;
use super::position::Position;
use crate::error::naming;
use std::error::Error as StdError;

/// How a sample is had of a dataset.
pub trait Reads<D: Dataset> {
    /// What goes into a batch.
    type Sample;
    #[doc(hidden)]
    fn read(dataset: &D, at: Position) -> Result<Self::Sample, SampleError>;
}

/// `get` gives the sample.
#[derive(Clone, Copy, Debug)]
pub struct Surely;

/// `get` gives a `Result` of it.
#[derive(Clone, Copy, Debug)]
pub struct Fallibly;

impl<D: Dataset> Reads<D> for Surely {
    type Sample = D::Sample;

    fn read(dataset: &D, at: Position) -> Result<D::Sample, SampleError> {
        in_range(dataset, at)?;
        Ok(naming(|| at.to_string(), || dataset.get_at(at)))
    }
}

impl<D, T, E> Reads<D> for Fallibly
where
    D: Dataset<Sample = Result<T, E>>,
    E: Into<Box<dyn StdError + Send + Sync>>,
{
    type Sample = T;

    fn read(dataset: &D, at: Position) -> Result<T, SampleError> {
        Surely::read(dataset, at)?.map_err(|error| SampleError::new(at, error.into()))
    }
}

/// A sampler of the user's may give any number.
fn in_range(dataset: &(impl Dataset + ?Sized), at: Position) -> Result<(), SampleError> {
    let len = dataset.len();
    if at.index < len {
        return Ok(());
    }
    Err(SampleError::new(
        at,
        format!("the sampler's index {} is out of range, the dataset has {len} samples", at.index).into(),
    ))
}
