//! The face that users hold.
use crate::Error;
use crate::error::{caught, error_of, in_sink, unwind_to_stop, was_in_sink};
use crate::graph::Graph;
use crate::locked::{Given, Locked, Serial, pulls, stage, stopping};
use crate::monitor::{Consumer, Monitor, Report, Survey, passing};
use crate::pipe::{Envelope, Named, Pipe, Pulled, Ride, Start, Unwatched, Upstream, Way};
use crate::pool::stop::Deaf;
use crate::post::Post;
use crate::stage::Share;
use crate::stage::order::{Handed, Window};
use crate::sync::Arc;
use std::any::Any;
use std::convert::Infallible;
use std::fmt;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// A complete chain of stages: what `pipeline!` makes.
///
/// It is an [`Iterator`] over the items (markers are skipped), and lazy: nothing is pulled until somebody pulls, except
/// that a queue's workers prefetch from the moment it is made. It is a source for further stages, whole or by `&mut`.
///
/// ```
/// use tinypl::pipeline;
///
/// let mut pipe = pipeline! { range(5) |> map(|x| x + 1) };
/// assert_eq!(pipe.next(), Some(1));
/// assert_eq!(pipe.try_next()?, Some(2));
/// assert_eq!(pipeline! { &mut pipe |> take(2) |> collect::<Vec<_>>() }, [3, 4]);
/// assert_eq!(pipe.collect::<Vec<_>>(), [5]);
/// # Ok::<(), tinypl::Error>(())
/// ```
///
/// # Panics
/// The `Iterator` face panics with the [`Error`] that [`try_next`](Self::try_next) gives: a failure is never an early, silent
/// end.
#[must_use = "a pipeline is lazy: pull from it, or end it with a sink"]
pub struct Pipeline<P: Pipe> {
    /// `None` once it was stopped.
    pipe: Option<P>,
    /// Boxed, so that a plain chain compiles to what an iterator's does: there it is seen to be `None`.
    rare: Option<Box<Rare<P>>>,
}

/// What few pipelines have.
#[derive(Debug)]
struct Rare<P: Pipe> {
    /// What its stages said when they started: open orders, and queues that don't wait for ever when they are stopped.
    start: Start,
    failed: Option<Error>,
    /// Somebody asked for its figures.
    watch: Option<Watch<P>>,
}

#[derive(Debug)]
struct Watch<P: Pipe> {
    by: Watching,
    /// [`Consumer::pull`]. As a pointer: where nobody asks, no code is made for it.
    pull: fn(&mut Consumer, &mut P) -> Pulled<P>,
}

/// Who looks. (It doesn't know the pipeline's type: a drop would use what that borrows.)
#[derive(Debug)]
struct Watching {
    monitor: Monitor,
    consumer: Consumer,
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.consumer.rest();
        self.monitor.freeze();
    }
}

impl<P: Pipe> Default for Rare<P> {
    fn default() -> Self {
        Self { start: Start::default(), failed: None, watch: None }
    }
}

impl<P: Pipe> Rare<P> {
    fn of(start: Start) -> Option<Box<Self>> {
        (!start.is_empty()).then(|| Box::new(Self { start, ..Self::default() }))
    }

    #[cold]
    fn next_watched(&mut self, pipe: &mut P) -> Pulled<P> {
        let Watch { by, pull } = self.watch.as_mut()?;
        pull(&mut by.consumer, pipe)
    }

    fn fail(&mut self, error: &Error) {
        self.failed = Some(error.clone());
        if let Some(watch) = &mut self.watch {
            watch.by.consumer.rest();
        }
        self.show(error);
    }

    /// Its figures tell of an error.
    fn show(&self, error: &Error) {
        if let Some(watch) = &self.watch {
            watch.by.consumer.ending().failed(error);
        }
    }
}

impl<P: Pipe> Pipeline<P> {
    /// Completes a chain of stages made by hand; threads start here.
    ///
    /// ```
    /// use tinypl::{Pipeline, map, range};
    ///
    /// let pipe = Pipeline::new(map(range(0, 3), |x| 2 * x));
    /// assert_eq!(pipe.collect::<Vec<_>>(), [0, 2, 4]);
    /// ```
    pub fn new(mut pipe: P) -> Self {
        let mut rare = None;
        if !P::INERT {
            let mut start = Start::default();
            pipe.start(&mut start);
            rare = Rare::of(start);
        }
        Self { pipe: Some(pipe), rare }
    }

    /// The stream in it, as an upstream for stages made by hand.
    ///
    /// # Panics
    /// If the pipeline was stopped, or has failed: then with its error.
    #[track_caller]
    pub fn into_pipe(self) -> P {
        if let Err(error) = failure(&self.rare) {
            error.throw();
        }
        self.pipe.expect("this pipeline was stopped: there is nothing to pull from")
    }

    /// Borrows it as a source: what is pulled there is missing here, and the rest is still here afterwards.
    ///
    /// ```
    /// use tinypl::pipeline;
    ///
    /// let mut pipe = pipeline! { range(5) };
    /// assert_eq!(pipeline! { pipe.by_ref() |> take(2) |> count() }, 2);
    /// assert_eq!(pipe.next(), Some(2));
    /// ```
    #[track_caller]
    pub fn by_ref(&mut self) -> Pipeline<Locked<Borrowed<'_, P>>> {
        Pipeline::new(borrowed(self))
    }

    /// The next item; `Ok(None)` at the end.
    ///
    /// # Errors
    /// What ended the pipeline: a panic or an `Err` in any stage, on any thread. The same again, each time it is asked.
    #[inline]
    pub fn try_next(&mut self) -> Result<Option<P::Item>, Error> {
        failure(&self.rare)?;
        let Self { pipe, rare } = self;
        let result = caught(None, || next_item(pipe, rare)).and_then(|item| item);
        if let Err(error) = &result {
            rare.get_or_insert_default().fail(error);
        }
        result
    }

    /// Its picture: stages, options, tracks, orders and markers, each with its line in the source. Nothing is pulled.
    ///
    /// ```
    /// use tinypl::pipeline;
    ///
    /// let pipe = pipeline! { range(9) |> thread::map(|x| x + 1, workers = 2) };
    /// let graph = pipe.graph();
    /// assert_eq!(graph.nodes()[1].name(), "thread::map");
    /// assert_eq!(graph.nodes()[1].options()[0], ("workers", "2".to_owned()));
    /// ```
    pub fn graph(&self) -> Graph {
        self.pipe.as_ref().map(Survey::of).unwrap_or_default().graph()
    }

    /// A handle on its live figures, for any thread. Time is measured from the first call on; items are counted from the
    /// start.
    ///
    /// Ask the pipeline that is pulled: when it becomes part of another one its monitor stands still, and that one has its own. What
    /// flows in beside it, through a `zip` or `chain`, is in its picture and not among its figures.
    ///
    /// What it costs: of a stage whose items take 1 µs, 3 to 5 %. Where nobody asks for them, a serial chain pays nothing, and worker
    /// threads some 3 ns an item.
    ///
    /// ```
    /// use tinypl::pipeline;
    ///
    /// let mut pipe = pipeline! { range(100) |> filter(|x| x % 2 == 0) |> thread::map(|x| x + 1, workers = 2) };
    /// let monitor = pipe.monitor();
    /// assert_eq!(pipe.by_ref().count(), 50);
    /// let report = monitor.report();
    /// assert_eq!((report.stages[1].items_in, report.stages[1].items_out), (100, 50));
    /// ```
    pub fn monitor(&mut self) -> Monitor {
        let rare = self.rare.get_or_insert_default();
        if rare.watch.is_none() {
            let survey = self.pipe.as_ref().map(Survey::of).unwrap_or_default();
            let (monitor, consumer) = Monitor::new(survey);
            if let Some(error) = &rare.failed {
                consumer.ending().failed(error);
            }
            rare.watch = Some(Watch { by: Watching { monitor, consumer }, pull: Consumer::pull::<P> });
        }
        rare.watch.as_ref().map(|watch| watch.by.monitor.clone()).expect("it is there now")
    }

    /// Its figures at this moment: what [`monitor`](Self::monitor)'s handle reports. Call that first, when the pipeline is
    /// made, for the time that its stages take.
    pub fn report(&mut self) -> Report {
        self.monitor().report()
    }

    /// Ends it: workers finish their item and are joined. After that it gives nothing any more.
    ///
    /// ```
    /// use tinypl::pipeline;
    ///
    /// let mut pipe = pipeline! { 0.. |> thread::queue(workers = 2) };
    /// assert!(pipe.next().is_some());
    /// pipe.stop();
    /// assert_eq!(pipe.next(), None);
    /// ```
    pub fn stop(&mut self) {
        self.pipe = None;
        let Some(rare) = &mut self.rare else { return };
        if rare.failed.is_none() {
            rare.failed = rare.start.flows.iter().find_map(|flow| flow.left_behind());
        }
        if let Some(watch) = &mut rare.watch {
            watch.by.consumer.rest();
            watch.by.consumer.ending().end_views();
        }
    }

    /// As [`Iterator::collect`].
    ///
    /// # Errors
    /// As [`try_next`](Self::try_next).
    pub fn try_collect<C: FromIterator<P::Item>>(mut self) -> Result<C, Error> {
        let mut failed = None;
        let items = std::iter::from_fn(|| {
            self.try_next().unwrap_or_else(|error| {
                failed = Some(error);
                None
            })
        });
        let all = items.collect();
        failed.map_or(Ok(all), Err)
    }

    /// Calls `f` for each item, until it gives an `Err`.
    ///
    /// ```
    /// use tinypl::pipeline;
    ///
    /// let print = |x: i32| if x < 2 { Ok(println!("{x}")) } else { Err(format!("{x} is too large").into()) };
    /// let result: Result<(), Box<dyn std::error::Error>> = pipeline! { range(5) |> try_for_each(print) };
    /// assert_eq!(result.unwrap_err().to_string(), "2 is too large");
    /// ```
    ///
    /// # Errors
    /// The `Err` of `f`, or the pipeline's own error, as of [`try_next`](Self::try_next).
    pub fn try_for_each<E: From<Error>>(mut self, mut f: impl FnMut(P::Item) -> Result<(), E>) -> Result<(), E> {
        while let Some(x) = self.try_next()? {
            f(x)?;
        }
        Ok(())
    }
}

impl<P: Pipe> Iterator for Pipeline<P> {
    type Item = P::Item;

    #[inline]
    #[track_caller]
    fn next(&mut self) -> Option<P::Item> {
        check(&self.rare);
        let Self { pipe, rare } = self;
        match catch_unwind(AssertUnwindSafe(|| next_item(pipe, rare))) {
            Ok(Ok(x)) => x,
            Ok(Err(error)) => ended(rare, error),
            Err(panic) => fail(rare, panic),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let Some(pipe) = &self.pipe else { return (0, Some(0)) };
        passing(pipe);
        pipe.size_hint()
    }

    #[inline]
    #[track_caller]
    fn fold<B, F: FnMut(B, P::Item) -> B>(mut self, init: B, mut f: F) -> B {
        check(&self.rare);
        match catch_unwind(AssertUnwindSafe(|| fold_items(&mut self, init, &mut f))) {
            Ok(Ok(acc)) => acc,
            Ok(Err(error)) => ended(&mut self.rare, error),
            Err(panic) if was_in_sink() => resume_unwind(panic),
            Err(panic) => fail(&mut self.rare, panic),
        }
    }
}

/// The error that ended a pipeline.
#[inline]
fn failure<P: Pipe>(rare: &Option<Box<Rare<P>>>) -> Result<(), Error> {
    match rare {
        Some(rare) => rare.failed.clone().map_or(Ok(()), Err),
        None => Ok(()),
    }
}

/// Panics with the error that ended a pipeline.
#[inline]
#[track_caller]
fn check<P: Pipe>(rare: &Option<Box<Rare<P>>>) {
    if let Some(rare) = rare
        && let Some(error) = &rare.failed
    {
        error.clone().throw();
    }
}

/// The next item, or the error that is the end.
#[inline]
fn next_item<P: Pipe>(pipe: &mut Option<P>, rare: &mut Option<Box<Rare<P>>>) -> Result<Option<P::Item>, Error> {
    let Some(pulled) = pipe else { return Ok(None) };
    loop {
        match next_signal(pulled, rare) {
            Some(Envelope::Item(x, ride)) => {
                ride.leave(windows(rare));
                return Ok(Some(x));
            }
            Some(other) => other.ride().leave(windows(rare)),
            None if P::INERT => return Ok(None),
            None if stopping() => return next_undisturbed(pipe, rare),
            None => return over(pulled, rare).map(|()| None),
        }
    }
}

/// The same, after a pull that gave up. (Apart: what has to be dropped there would cost each pull.)
#[cold]
#[inline(never)]
fn next_undisturbed<P: Pipe>(pipe: &mut Option<P>, rare: &mut Option<Box<Rare<P>>>) -> Result<Option<P::Item>, Error> {
    let _deaf = interrupted();
    next_item(pipe, rare)
}

/// A pull gave up: for good if this thread is to stop, else a stage was called back that stands below a function in which this
/// pipeline runs.
#[cold]
fn interrupted() -> Deaf {
    let deaf = Deaf::begin();
    if stopping() {
        unwind_to_stop();
    }
    deaf
}

/// Nothing more comes; whether that is the end.
#[inline]
fn over<P: Pipe>(pipe: &mut P, rare: &Option<Box<Rare<P>>>) -> Result<(), Error> {
    pipe.finish()?;
    if let Some(watch) = rare.as_ref().and_then(|rare| rare.watch.as_ref()) {
        watch.by.consumer.ending().end_views();
    }
    Ok(())
}

/// Pulls, watched if somebody looks.
#[inline]
fn next_signal<P: Pipe>(pipe: &mut P, rare: &mut Option<Box<Rare<P>>>) -> Pulled<P> {
    match rare {
        Some(rare) if rare.watch.is_some() => rare.next_watched(pipe),
        _ => pipe.pull_by::<Unwatched>(),
    }
}

/// Folds what is left.
#[inline]
fn fold_items<P: Pipe, B>(pipeline: &mut Pipeline<P>, init: B, mut f: impl FnMut(B, P::Item) -> B) -> Result<B, Error> {
    let mut f = |acc, x| in_sink(|| f(acc, x));
    if pipeline.rare.as_ref().is_some_and(|rare| rare.watch.is_some()) {
        // each may be measured
        return fold_one_by_one(pipeline, init, f);
    }
    let windows = windows(&pipeline.rare);
    let Some(pipe) = &mut pipeline.pipe else { return Ok(init) };
    let ControlFlow::Continue(acc) = pipe.try_fold(init, |acc, signal| {
        signal.ride().leave(windows);
        ControlFlow::<Infallible, B>::Continue(match signal {
            Envelope::Item(x, _) => f(acc, x),
            _ => acc,
        })
    });
    if P::INERT {
        return Ok(acc);
    }
    if stopping() {
        let _deaf = interrupted();
        return fold_one_by_one(pipeline, acc, f);
    }
    pipe.finish().map(|()| acc)
}

fn fold_one_by_one<P: Pipe, B>(
    pipeline: &mut Pipeline<P>,
    init: B,
    mut f: impl FnMut(B, P::Item) -> B,
) -> Result<B, Error> {
    let mut acc = init;
    while let Some(x) = next_item(&mut pipeline.pipe, &mut pipeline.rare)? {
        acc = f(acc, x);
    }
    Ok(acc)
}

/// It ended with an error.
#[cold]
#[inline(never)]
#[track_caller]
fn ended<P: Pipe>(rare: &mut Option<Box<Rare<P>>>, error: Error) -> ! {
    rare.get_or_insert_default().fail(&error);
    error.throw()
}

/// A pull unwound: what was pulled is lost, so the pipeline has failed.
#[cold]
#[inline(never)]
#[track_caller]
fn fail<P: Pipe>(rare: &mut Option<Box<Rare<P>>>, panic: Box<dyn Any + Send>) -> ! {
    // what unwinds because this thread is to stop is no failure: another one may pull on
    let error = error_of(panic).unwrap_or_else(|stopped| resume_unwind(stopped));
    rare.get_or_insert_default().fail(&error);
    error.throw()
}

#[inline]
fn windows<P: Pipe>(rare: &Option<Box<Rare<P>>>) -> &[Arc<Window>] {
    rare.as_ref().map_or(&[], |rare| &rare.start.windows)
}

impl<P: Pipe + fmt::Debug> fmt::Debug for Pipeline<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pipeline").field(&self.pipe).finish()
    }
}

/// A clone pulls from the same stream: whoever pulls takes the next item.
impl<P: Pipe> Clone for Pipeline<Locked<Share<P>>> {
    fn clone(&self) -> Self {
        let rare = self.rare.as_ref().map(|rare| {
            let (start, failed) = (rare.start.clone(), rare.failed.clone());
            Box::new(Rare { start, failed, watch: None })
        });
        Self { pipe: self.pipe.clone(), rare }
    }
}

/// The source that is another pipeline, borrowed.
#[must_use = "a stage does nothing until it is pulled"]
pub struct Borrowed<'a, P: Pipe> {
    lender: &'a mut Pipeline<P>,
    handed: Handed<<P::Tags as Named>::Raw>,
}

#[track_caller]
pub(crate) fn borrowed<P: Pipe>(lender: &mut Pipeline<P>) -> Locked<Borrowed<'_, P>> {
    stage(Borrowed { lender, handed: Handed::new() })
}

impl<P: Pipe> Serial for Borrowed<'_, P> {
    type Item = P::Item;
    type Marker = P::Marker;
    type Tags = P::Tags;

    pulls!();

    #[inline]
    fn pull_by<W: Way>(&mut self) -> Option<Given<Self>> {
        let Pipeline { pipe, rare } = &mut *self.lender;
        if failure(rare).is_err() {
            return None;
        }
        let pipe = pipe.as_mut()?;
        let signal = caught(Some(None), || match rare {
            Some(rare) if rare.watch.is_some() => rare.next_watched(pipe),
            _ => W::pull(pipe),
        });
        let signal = signal.unwrap_or_else(|panic| {
            rare.get_or_insert_default().fail(&panic);
            None
        })?;
        self.handed.note(signal.ride());
        Some(signal)
    }

    fn upstream(&mut self) -> Option<&mut dyn Upstream> {
        None
    }

    #[inline]
    fn ready(&mut self) -> usize {
        self.lender.pipe.as_mut().map_or(0, Pipe::ready)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.lender.pipe.as_ref().map_or((0, Some(0)), Pipe::size_hint)
    }

    fn survey(&mut self, _: &Post, _: u64, survey: &mut Survey) {
        if let Some(pipe) = &self.lender.pipe {
            pipe.survey(survey);
        }
    }

    fn start(&mut self, start: &mut Start) {
        if let Some(rare) = &self.lender.rare {
            start.repeat(&rare.start);
            self.handed.open(&rare.start.windows);
        }
    }

    fn finish(&mut self) -> Result<(), Error> {
        let Pipeline { pipe, rare } = &mut *self.lender;
        failure(rare)?;
        let finished = pipe.as_mut().map_or(Ok(()), Pipe::finish);
        if let (Err(error), Some(rare)) = (&finished, rare) {
            rare.show(error);
        }
        finished
    }
}

impl<P: Pipe> fmt::Debug for Borrowed<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Borrowed")
    }
}

/// A shared track, for a track that pulls from it.
#[track_caller]
pub(crate) fn track<P: Pipe>(track: &Pipeline<Locked<Share<P>>>) -> Locked<Share<P>> {
    track.pipe.clone().expect("this track was stopped: there is nothing to pull from")
}
