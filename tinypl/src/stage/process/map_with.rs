//! `process::map_with(ctx, f, workers, maxsize)`
use super::workers::{Over, workers};
use crate::crew::{MapWith, pack};
use crate::pipe::Pipe;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Applies `f(&context, item)` in worker processes. The context is serialised once, and sent to each worker when it starts:
/// settings, a table, a ring buffer. As [`map`](super::map) otherwise.
///
/// ```
/// use tinypl::pipeline;
///
/// let factor = 3;
/// let sum = pipeline! { range(10) |> process::map_with(factor, |factor, x| factor * x, workers = 2) |> fold(0, |a, b| a + b) };
/// assert_eq!(sum, 135);
/// ```
///
/// # Errors
/// As of [`map`](super::map); and when the context can't be encoded or decoded.
#[track_caller]
pub fn map_with<'a, P, C, O>(up: P, context: C, f: fn(&C, P::Item) -> O) -> Over<'a, P, O>
where
    P: Pipe<Item: Serialize + DeserializeOwned + 'a> + Send + 'a,
    C: Serialize + DeserializeOwned + 'a,
    O: Serialize + DeserializeOwned + Send + 'a,
{
    workers(up, MapWith { f }, pack(&context), "process::map_with")
}
