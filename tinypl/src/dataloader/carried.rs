//! Functions that may have to go to worker processes.
#[cfg(all(feature = "process", target_os = "linux"))]
use crate::crew::{is_in_luggage, out_of_nothing};
#[cfg(all(feature = "process", target_os = "linux"))]
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use std::fmt;

/// A function. One that captures nothing has no bytes, and its type says all of it: so it travels by its type alone.
#[derive(Clone, Copy)]
pub struct Carried<F>(pub(super) F);

impl<F> fmt::Debug for Carried<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Carried").finish_non_exhaustive()
    }
}

#[cfg(all(feature = "process", target_os = "linux"))]
impl<F: Copy + 'static> Serialize for Carried<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

#[cfg(all(feature = "process", target_os = "linux"))]
impl<'de, F: Copy + 'static> Deserialize<'de> for Carried<F> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <()>::deserialize(deserializer)?;
        if !is_in_luggage() {
            return Err(D::Error::custom(
                "a function can be had from bytes only in a worker process, as part of a dataset",
            ));
        }
        Ok(Self(out_of_nothing()))
    }
}
