//! `process::map(f, workers, maxsize)`
use super::workers::{Over, workers};
use crate::crew::{Map, pack};
use crate::pipe::Pipe;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Applies `f` in worker processes. The order of the results is not kept; for that see [`order`](crate::order).
///
/// `f` is a function, or a closure that captures nothing; what it needs beside the item comes by
/// [`map_with`](super::map_with) or [`map_init`](super::map_init). Items and results travel by serde. The workers start
/// when the pipeline is made and end with it. Cheap items travel in chunks, expensive ones one by one, and none waits for
/// its neighbours in a chunk for longer than for one item.
///
/// ```
/// use tinypl::{Pipeline, pipeline, process, source};
///
/// let mut squares: Vec<_> = pipeline! { range(10) |> process::map(|x| x * x, workers = 2) |> collect() };
/// squares.sort();
/// assert_eq!(squares[9], 81);
///
/// // by hand
/// assert_eq!(Pipeline::new(process::map(source(0..10), |x| x * x).workers(2)).sum::<i32>(), 285);
/// ```
///
/// # Errors
/// A panic of `f` ends the pipeline with an [`Error`](crate::Error) that names this stage and the item. So does the death of
/// a worker, with what it died of, unless [`on_death`](super::Workers::on_death) says otherwise; an item or a result that
/// can't be encoded or decoded; workers that can't be started.
#[track_caller]
pub fn map<'a, P, O>(up: P, f: fn(P::Item) -> O) -> Over<'a, P, O>
where
    P: Pipe<Item: Serialize + DeserializeOwned + 'a> + Send + 'a,
    O: Serialize + DeserializeOwned + Send + 'a,
{
    workers(up, Map { f }, pack(&()), "process::map")
}
