//! `thread::each(f, workers, maxsize)`: `each(f) |> thread::queue(workers, maxsize)`.
use super::queue::{Over, queue_as};
use crate::pipe::Pipe;
use crate::post::Post;
use crate::stage::Each;

/// Calls `f(&item)` on worker threads, and passes the item on: [`each`](crate::each) and [`queue`](super::queue) in one,
/// with the queue's options.
///
/// ```
/// use std::sync::atomic::{AtomicU32, Ordering};
/// use tinypl::pipeline;
///
/// static SUM: AtomicU32 = AtomicU32::new(0);
/// let n = pipeline! { 0..10_u32 |> thread::each(|x| { SUM.fetch_add(*x, Ordering::Relaxed); }, workers = 2) |> count() };
/// assert_eq!((n, SUM.load(Ordering::Relaxed)), (10, 45));
/// ```
///
/// # Errors
/// A panic of `f` ends the pipeline with an [`Error`](crate::Error) that names this stage and the item.
#[track_caller]
pub fn each<'a, P, F>(up: P, f: F) -> Over<'a, Each<P, F>>
where
    P: Pipe<Item: Send> + Send + Sync + 'a,
    F: Fn(&P::Item) + Send + Sync + 'a,
{
    queue_as(named(up, f), "thread::each")
}

/// The part before the queue: an `each` under this stage's name.
#[track_caller]
pub(crate) fn named<P: Pipe, F: Fn(&P::Item)>(up: P, f: F) -> Each<P, F> {
    Each { up, f, post: Post::here("thread::each") }
}
