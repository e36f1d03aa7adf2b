//! `thread::queue(workers, maxsize)`: its workers pull, all at once, and its one consumer takes what they found.
use crate::locked::Locked;
use crate::monitor::Survey;
use crate::pipe::{Named, Pipe, Start, Tagged, wraps};
use crate::pool::spawn::{Detached, Spawn};
use crate::pool::{Flow, OnWorkerError, Options, Output};
use crate::post::Post;
use crate::sync::Arc;
use std::fmt;
use std::thread::Scope;
use std::time::Duration;

/// Worker threads pull what stands above, all at once, and prefetch results. Their order is not kept; for that see
/// [`order`](crate::order).
///
/// Set [`workers`](Queue::workers), and [`maxsize`](Queue::maxsize) for how much is prefetched. The threads start when
/// the pipeline is made, and are joined when it is stopped or dropped. The bound holds always: at most `maxsize` results
/// and one item in each worker's hands have been pulled from above and not yet been taken from below. Cheap items travel
/// in chunks, expensive ones one by one, and no item waits for its neighbours in a chunk.
///
/// ```
/// use tinypl::{Pipeline, map, pipeline, source, thread};
///
/// pipeline! { let mut squares = range(100) |> map(|x| x * x) |> q @ thread::queue(workers = 4, maxsize = 8); }
/// assert_eq!(q.maxsize(), 8);
/// assert_eq!(squares.by_ref().count(), 100);
/// assert_eq!(q.workers(), 0); // all have ended
///
/// // by hand
/// let squares = Pipeline::new(thread::queue(map(source(0..100), |x| x * x)).workers(4));
/// assert_eq!(squares.count(), 100);
/// ```
///
/// # Errors
/// A panic or an `Err` of a stage above ends the queue: what was finished may still come, then the error.
#[track_caller]
pub fn queue<'a, P: Pipe<Item: Send> + Send + Sync + 'a>(up: P) -> Over<'a, P> {
    queue_as(up, "thread::queue")
}

/// The queue over a stream.
pub(super) type Over<'a, P> = Queue<'a, <P as Pipe>::Item, <P as Pipe>::Marker, <P as Pipe>::Tags, Detached>;

/// A queue under another name, for stages that end in one.
#[track_caller]
pub(crate) fn queue_as<'a, P: Pipe<Item: Send> + Send + Sync + 'a>(up: P, name: &'static str) -> Over<'a, P> {
    queue_at(up, Post::here(name))
}

/// A queue that is part of the stage at `post`.
pub(crate) fn queue_at<'a, P: Pipe<Item: Send> + Send + Sync + 'a>(up: P, post: Post) -> Over<'a, P> {
    let options = Options::new();
    Queue { output: Locked::new(Output::new(Box::new(up), post.site(), options), post), options, spawner: Detached }
}

/// The stage of [`queue`]. It does not name its upstream: below it types are short again.
#[must_use = "a stage does nothing until it is pulled"]
pub struct Queue<'a, T, M: Named, G: Tagged, S> {
    output: Locked<Output<'a, T, M::Raw, G::Raw>>,
    options: Options,
    spawner: S,
}

impl<'a, T, M: Named, G: Tagged, S> Queue<'a, T, M, G, S> {
    /// How many threads. Left out: as many as the machine runs at once.
    ///
    /// # Panics
    /// If `n` is 0.
    #[track_caller]
    pub fn workers(self, n: usize) -> Self {
        assert!(n > 0, "`workers` must be at least 1");
        self.set(|options| options.workers = n)
    }

    /// How many results are prefetched at most. Left out: 8 for each worker, and at least 64.
    ///
    /// # Panics
    /// If `n` is 0.
    #[track_caller]
    pub fn maxsize(self, n: usize) -> Self {
        assert!(n > 0, "`maxsize` must be at least 1");
        self.set(|options| options.maxsize = Some(n))
    }

    /// Warns (by the crate `log`) when the consumer has waited for an item as long as this, once each time that it waits.
    /// Left out: never.
    pub fn warn_timeout(self, limit: Duration) -> Self {
        self.set(|options| options.warn_timeout = Some(limit))
    }

    /// How long a stop waits for workers who are still at their item. Then they are left behind, and the pipeline's error
    /// says so. Left out: as long as it takes. In a scope the scope still waits for them.
    pub fn end_timeout(self, limit: Duration) -> Self {
        self.set(|options| options.end_timeout = Some(limit))
    }

    /// What becomes of a panic or an `Err` in a worker. Left out: [`OnWorkerError::Forward`].
    pub fn on_worker_error(self, policy: OnWorkerError) -> Self {
        self.set(|options| options.on_worker_error = policy)
    }

    /// Runs the threads in a scope, so that they may use what it borrows.
    ///
    /// At its end the scope waits for them. They end with the pipeline, so one that is never dropped nor stopped (by
    /// [`std::mem::forget`], or in a cycle of `Rc`s) lets it wait for ever.
    ///
    /// ```
    /// use tinypl::pipeline;
    ///
    /// let text = String::from("to be or not to be");
    /// let letters = std::thread::scope(|s| {
    ///     pipeline! { text.split(' ') |> thread::map(|w| w.len(), workers = 2, scope = s) |> fold(0, |a, b| a + b) }
    /// });
    /// assert_eq!(letters, 13);
    /// ```
    pub fn scope<'s, 'e>(self, scope: &'s Scope<'s, 'e>) -> Queue<'a, T, M, G, &'s Scope<'s, 'e>> {
        Queue { output: self.output, options: self.options, spawner: scope }
    }

    /// A handle on the live figures.
    pub fn handle(&mut self) -> QueueHandle {
        QueueHandle(self.output.stage_mut().flow().clone())
    }

    /// What stands before its `@`.
    #[doc(hidden)]
    pub fn called(mut self, name: &'static str) -> Self {
        self.output.set_handle(name);
        self
    }

    fn set(mut self, option: impl FnOnce(&mut Options)) -> Self {
        option(&mut self.options);
        let site = self.output.site();
        self.output.stage_mut().set(site, self.options);
        self
    }
}

impl<'a, T: Send + 'a, M: Named, G: Tagged, S: Spawn<'a>> Pipe for Queue<'a, T, M, G, S> {
    type Item = T;
    type Marker = M;
    type Tags = G;
    type Local = ();
    type Bottom = Output<'a, T, M::Raw, G::Raw>;

    wraps!(output);

    fn survey(&self, survey: &mut Survey) {
        self.output.survey(survey);
        survey.limit("end_timeout", self.options.end_timeout).carries::<Self>();
    }

    fn start(&mut self, start: &mut Start) {
        self.output.stage_mut().launch(&self.spawner, start);
    }
}

impl<T, M: Named, G: Tagged, S> fmt::Debug for Queue<'_, T, M, G, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").field("site", &self.output.site()).field("options", &self.options).finish()
    }
}

/// The live figures of a queue. It does not keep the pipeline alive.
#[derive(Clone, Debug)]
pub struct QueueHandle(Arc<Flow>);

impl QueueHandle {
    /// How many results are finished and not yet taken: from 0 to [`maxsize`](Self::maxsize). Results move in chunks, so
    /// while workers run it lags behind by up to a chunk for each.
    pub fn fill(&self) -> usize {
        self.0.fill()
    }

    /// How many workers are running: as many as were asked for, down to 0 after the end.
    pub fn workers(&self) -> usize {
        self.0.active()
    }

    /// How many results are prefetched at most.
    pub fn maxsize(&self) -> usize {
        self.0.options.maxsize()
    }
}
