//! `thread::map(f, workers, maxsize)`: `map(f) |> thread::queue(workers, maxsize)`.
use super::queue::{Over, queue_as};
use crate::pipe::Pipe;
use crate::post::Post;
use crate::stage::Map;

/// Applies `f` on worker threads: [`map`](crate::map) and [`queue`](super::queue) in one, with the queue's options.
///
/// ```
/// use tinypl::{Pipeline, pipeline, source, thread};
///
/// let mut squares: Vec<_> = pipeline! { range(10) |> thread::map(|x| x * x, workers = 4) |> collect() };
/// squares.sort(); // their order is not kept
/// assert_eq!(squares[9], 81);
///
/// // by hand
/// assert_eq!(Pipeline::new(thread::map(source(0..10), |x| x * x).workers(4)).sum::<i32>(), 285);
/// ```
///
/// # Errors
/// A panic of `f` ends the pipeline with an [`Error`](crate::Error) that names this stage and the item.
#[track_caller]
pub fn map<'a, P, F, R>(up: P, f: F) -> Over<'a, Map<P, F>>
where
    P: Pipe + Send + Sync + 'a,
    F: Fn(P::Item) -> R + Send + Sync + 'a,
    R: Send,
{
    queue_as(named(up, f), "thread::map")
}

/// The part before the queue: a `map` under this stage's name.
#[track_caller]
pub(crate) fn named<P: Pipe, F: Fn(P::Item) -> R, R>(up: P, f: F) -> Map<P, F> {
    Map { up, f, post: Post::here("thread::map") }
}
