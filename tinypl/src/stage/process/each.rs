//! `process::each(f, workers, maxsize)`
use super::workers::{Over, workers};
use crate::crew::{Each, pack};
use crate::pipe::Pipe;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Calls `f(&item)` in worker processes, and passes the item on. As [`map`](super::map) otherwise; the item itself need not
/// travel back.
///
/// ```
/// use tinypl::pipeline;
///
/// let n = pipeline! { range(10) |> process::each(|x| assert!(*x < 10), workers = 2) |> count() };
/// assert_eq!(n, 10);
/// ```
///
/// # Errors
/// As of [`map`](super::map).
#[track_caller]
pub fn each<'a, P>(up: P, f: fn(&P::Item)) -> Over<'a, P, P::Item>
where
    P: Pipe<Item: Serialize + DeserializeOwned + Send + 'a> + Send + 'a,
{
    workers(up, Each { f }, pack(&()), "process::each")
}
