//! What the stages of `process::` have in common: the options, the handle, and the stage itself.
use crate::crew::{Context, Crew, FEEDERS, OnDeath, Options, Shared, Task};
use crate::locked::Locked;
use crate::monitor::Survey;
use crate::pipe::{Named, Pipe, Start, Tagged, wraps};
use crate::pool::spawn::{Detached, Spawn};
use crate::pool::{self, Flow, OnWorkerError, Output};
use crate::post::Post;
use crate::sync::Arc;
use std::fmt;
use std::thread::Scope;
use std::time::Duration;

/// What a stop leaves the drivers to kill and bury, beyond `end_timeout`.
const BURIAL: Duration = Duration::from_secs(2);

/// The stage of [`map`](super::map) and its kin. It does not name its upstream: below it types are short again.
///
/// The options are those of a [thread queue](crate::thread::queue), and some more.
#[must_use = "a stage does nothing until it is pulled"]
pub struct Workers<'a, T, M: Named, G: Tagged, S> {
    output: Locked<Output<'a, T, M::Raw, G::Raw>>,
    threads: pool::Options,
    options: Options,
    shared: Arc<Shared>,
    function: Option<&'static str>,
    spawner: S,
}

/// Workers over a stream, which give `T`.
pub(super) type Over<'a, P, T> = Workers<'a, T, <P as Pipe>::Marker, <P as Pipe>::Tags, Detached>;

/// The stage for a task.
#[track_caller]
pub(super) fn workers<'a, P, T>(up: P, task: T, context: Context, name: &'static str) -> Over<'a, P, T::Out>
where
    P: Pipe<Item = T::In> + Send + 'a,
    T: Task<Out: Send> + 'a,
{
    workers_at(up, task, context, Post::here(name))
}

/// Workers that are part of the stage at `post`.
pub(crate) fn workers_at<'a, P, T>(up: P, task: T, context: Context, post: Post) -> Over<'a, P, T::Out>
where
    P: Pipe<Item = T::In> + Send + 'a,
    T: Task<Out: Send> + 'a,
{
    let threads = pool::Options { beside: FEEDERS, ..pool::Options::new() };
    let shared = Arc::new(Shared::default());
    let crew = Crew::new(up, task, context, post.site(), shared.clone());
    let output = Locked::new(Output::new(Box::new(crew), post.site(), threads), post);
    Workers { output, threads, options: Options::new(threads.workers), shared, function: None, spawner: Detached }
}

impl<'a, T, M: Named, G: Tagged, S> Workers<'a, T, M, G, S> {
    /// How many processes. Left out: as many as the machine runs at once.
    ///
    /// # Panics
    /// If `n` is 0.
    #[track_caller]
    pub fn workers(self, n: usize) -> Self {
        assert!(n > 0, "`workers` must be at least 1");
        self.set(|threads, options| (threads.workers, options.workers) = (n, n))
    }

    /// How many results are prefetched at most. At most that many items, and one for each worker, are under way: were pulled
    /// from above and not yet taken from below. Left out: 8 for each worker, and at least 64.
    ///
    /// # Panics
    /// If `n` is 0.
    #[track_caller]
    pub fn maxsize(self, n: usize) -> Self {
        assert!(n > 0, "`maxsize` must be at least 1");
        self.set(|threads, _| threads.maxsize = Some(n))
    }

    /// How many of the items under way may wait for a worker, beside the one that each worker is at. Left out: all.
    ///
    /// # Panics
    /// If `n` is 0.
    #[track_caller]
    pub fn input_maxsize(self, n: usize) -> Self {
        assert!(n > 0, "`input_maxsize` must be at least 1");
        self.set(|_, options| options.input_maxsize = Some(n))
    }

    /// How long a worker may take to get ready; it sets up its context in that time. Left out: 30 s. Later the pipeline ends
    /// with an error.
    pub fn start_timeout(self, limit: Duration) -> Self {
        self.set(|_, options| options.start_timeout = limit)
    }

    /// How long a stop waits for workers who are still at their item. Then they are killed. Left out: 10 s. A pipeline that
    /// is dropped by a panic doesn't wait.
    pub fn end_timeout(self, limit: Duration) -> Self {
        self.set(|threads, options| {
            options.end_timeout = limit;
            threads.end_timeout = limit.checked_add(BURIAL);
        })
    }

    /// How long an item may take. Then its worker is killed, and the item treated as one that a worker
    /// [died](Self::on_death) of. Left out: as long as it takes.
    pub fn item_timeout(self, limit: Duration) -> Self {
        self.set(|_, options| options.item_timeout = Some(limit))
    }

    /// Warns (by the crate `log`) when the consumer has waited for an item as long as this, once each time that it waits.
    /// Left out: never.
    pub fn warn_timeout(self, limit: Duration) -> Self {
        self.set(|threads, _| threads.warn_timeout = Some(limit))
    }

    /// What becomes of a panic in a worker. Left out: [`OnWorkerError::Forward`].
    pub fn on_worker_error(self, policy: OnWorkerError) -> Self {
        self.set(|threads, _| threads.on_worker_error = policy)
    }

    /// What becomes of the item that a worker was at when it died. Left out: [`OnDeath::Fail`].
    pub fn on_death(self, policy: OnDeath) -> Self {
        self.set(|_, options| options.on_death = policy)
    }

    /// Runs the threads that serve the workers in a scope, so that the stages above may use what it borrows. As
    /// [with threads](crate::thread::Queue::scope), a pipeline that is forgotten lets the scope wait for ever.
    pub fn scope<'s, 'e>(self, scope: &'s Scope<'s, 'e>) -> Workers<'a, T, M, G, &'s Scope<'s, 'e>> {
        let Self { output, threads, options, shared, function, .. } = self;
        Workers { output, threads, options, shared, function, spawner: scope }
    }

    /// A handle on the live figures.
    pub fn handle(&mut self) -> WorkersHandle {
        WorkersHandle { flow: self.output.stage_mut().flow().clone(), shared: self.shared.clone() }
    }

    /// What stands before its `@`.
    #[doc(hidden)]
    pub fn called(mut self, name: &'static str) -> Self {
        self.output.set_handle(name);
        self
    }

    /// What its function is called, in pictures and reports: of a pointer that can't be told. `pipeline!` says it.
    pub fn function(self, name: &'static str) -> Self {
        Self { function: Some(name), ..self }
    }

    /// What an encoded item is: errors of one say so.
    #[cfg(feature = "dataloader")]
    pub(crate) fn about(self, about: crate::crew::About) -> Self {
        self.set(|_, options| options.about = Some(about))
    }

    fn set(mut self, option: impl FnOnce(&mut pool::Options, &mut Options)) -> Self {
        option(&mut self.threads, &mut self.options);
        let site = self.output.site();
        self.output.stage_mut().set(site, self.threads);
        self
    }
}

impl<'a, T: Send + 'a, M: Named, G: Tagged, S: Spawn<'a>> Pipe for Workers<'a, T, M, G, S> {
    type Item = T;
    type Marker = M;
    type Tags = G;
    type Local = ();
    type Bottom = Output<'a, T, M::Raw, G::Raw>;

    wraps!(output);

    fn survey(&self, survey: &mut Survey) {
        self.output.survey(survey);
        self.options.describe(survey);
        survey.processes(&self.shared).function_called(self.function).carries::<Self>();
    }

    fn start(&mut self, start: &mut Start) {
        self.shared.options.get_or_init(|| self.options);
        self.output.stage_mut().launch(&self.spawner, start);
    }
}

impl<T, M: Named, G: Tagged, S> fmt::Debug for Workers<'_, T, M, G, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workers").field("site", &self.output.site()).field("options", &self.options).finish()
    }
}

/// The live figures of a process stage. It does not keep the pipeline alive.
#[derive(Clone, Debug)]
pub struct WorkersHandle {
    flow: Arc<Flow>,
    shared: Arc<Shared>,
}

impl WorkersHandle {
    /// How many results are finished and not yet taken: from 0 to [`maxsize`](Self::maxsize).
    pub fn fill(&self) -> usize {
        self.flow.fill()
    }

    /// How many items wait for a worker.
    pub fn input_fill(&self) -> usize {
        // what was left at the end waits for nobody
        if self.flow.active() == 0 { 0 } else { self.shared.waiting() }
    }

    /// How many workers are ready or at work: as many as were asked for once all have started, down to 0 after the end.
    pub fn workers(&self) -> usize {
        self.pids().len()
    }

    /// Their process ids.
    pub fn pids(&self) -> Vec<u32> {
        self.shared.pids()
    }

    /// How many workers have taken the place of one that died.
    pub fn restarts(&self) -> usize {
        self.shared.restarts()
    }

    /// How many results are prefetched at most.
    pub fn maxsize(&self) -> usize {
        self.flow.options.maxsize()
    }
}
