//! `process::map_init(init, f, workers, maxsize)`
use super::workers::{Over, workers};
use crate::crew::{MapInit, pack};
use crate::pipe::Pipe;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Each worker process makes a state with `init()` when it gets its first item; then it applies `f(&mut state, item)`. The
/// state never travels: it may be anything. As [`map`](super::map) otherwise.
///
/// ```
/// use tinypl::pipeline;
///
/// // a buffer for each worker
/// let lengths = pipeline! {
///     [1, 2, 3] |> process::map_init(Vec::new, |seen, x: u32| { seen.push(x); seen.len() }, workers = 1)
///         |> collect::<Vec<_>>()
/// };
/// assert_eq!(lengths, [1, 2, 3]);
/// ```
///
/// # Errors
/// As of [`map`](super::map); a panic of `init` counts as one of `f`.
#[track_caller]
pub fn map_init<'a, P, S, O>(up: P, init: fn() -> S, f: fn(&mut S, P::Item) -> O) -> Over<'a, P, O>
where
    P: Pipe<Item: Serialize + DeserializeOwned + 'a> + Send + 'a,
    S: 'a,
    O: Serialize + DeserializeOwned + Send + 'a,
{
    workers(up, MapInit { init, f }, pack(&()), "process::map_init")
}
