//! The face that users hold.
use crate::Error;
use crate::error::{caught, error_of, in_sink, unwind_to_stop, was_in_sink};
use crate::graph::Graph;
use crate::locked::{Given, Locked, Serial, pulls, stage, stopping};
use crate::monitor::{Consumer, Monitor, Report, Survey, passing};
use crate::pipe::{Envelope, Named, Pipe, Pulled, Ride, Signal, Start, Unwatched, Upstream, Way};
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
    rare: Rare,
    /// How it is pulled if somebody asked for its figures. As a pointer: where nobody asks, no code is made for it.
    watched: Option<WatchedPull<P>>,
}

/// [`Consumer::pull`].
type WatchedPull<P> = fn(&mut Consumer, &mut P) -> Pulled<P>;

/// What few pipelines have. Boxed, so that a plain chain compiles to what an iterator's does: there it is seen to be `None`. It does
/// not know the pipeline's type: a drop would use what that borrows, and its code would be compiled for each.
type Rare = Option<Box<Extras>>;

#[derive(Debug, Default)]
struct Extras {
    /// What its stages said when they started: open orders, and queues that don't wait for ever when they are stopped.
    start: Start,
    failed: Option<Error>,
    /// Somebody asked for its figures.
    watch: Option<Watching>,
}

/// Who looks.
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

impl Extras {
    fn of(start: Start) -> Rare {
        (!start.is_empty()).then(|| Box::new(Self { start, ..Self::default() }))
    }

    fn fail(&mut self, error: &Error) {
        self.failed = Some(error.clone());
        if let Some(watch) = &mut self.watch {
            watch.consumer.rest();
        }
        self.show(error);
    }

    /// Its figures tell of an error.
    fn show(&self, error: &Error) {
        if let Some(watch) = &self.watch {
            watch.consumer.ending().failed(error);
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
            rare = Extras::of(start);
        }
        Self { pipe: Some(pipe), rare, watched: None }
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
        let result = caught(None, || next_item(self)).and_then(|item| item);
        if let Err(error) = &result {
            self.rare.get_or_insert_default().fail(error);
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
    /// What it costs: of a stage whose items take 1 µs, up to 5 %, with a timeline, too. Where nobody asks for them, a serial chain pays
    /// nothing, and worker threads some 3 ns an item.
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
            rare.watch = Some(Watching { monitor, consumer });
            self.watched = Some(Consumer::pull::<P>);
        }
        rare.watch.as_ref().map(|watch| watch.monitor.clone()).expect("it is there now")
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
            watch.consumer.rest();
            watch.consumer.ending().end_views();
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
        match catch_unwind(AssertUnwindSafe(|| next_item(self))) {
            Ok(Ok(x)) => x,
            Ok(Err(error)) => ended(&mut self.rare, error),
            Err(panic) => fail(&mut self.rare, panic),
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
fn failure(rare: &Rare) -> Result<(), Error> {
    match rare {
        Some(rare) => rare.failed.clone().map_or(Ok(()), Err),
        None => Ok(()),
    }
}

/// Panics with the error that ended a pipeline.
#[inline]
#[track_caller]
fn check(rare: &Rare) {
    if let Some(rare) = rare
        && let Some(error) = &rare.failed
    {
        error.clone().throw();
    }
}

/// The next item, or the error that is the end.
#[inline]
fn next_item<P: Pipe>(pipeline: &mut Pipeline<P>) -> Result<Option<P::Item>, Error> {
    let Pipeline { pipe: Some(pipe), rare, watched } = pipeline else { return Ok(None) };
    loop {
        // first what a plain chain is seen not to have
        let signal = match rare {
            Some(rare) if rare.watch.is_some() => next_watched(pipe, rare, *watched),
            _ => pipe.pull_by::<Unwatched>(),
        };
        match signal {
            Some(Envelope::Item(x, ride)) => {
                ride.leave(windows(rare));
                return Ok(Some(x));
            }
            Some(other) => other.ride().leave(windows(rare)),
            None if P::INERT => return Ok(None),
            None if stopping() => return next_undisturbed(pipeline),
            None => return over(pipe, rare).map(|()| None),
        }
    }
}

/// The same, after a pull that gave up. (Apart: what has to be dropped there would cost each pull.)
#[cold]
#[inline(never)]
fn next_undisturbed<P: Pipe>(pipeline: &mut Pipeline<P>) -> Result<Option<P::Item>, Error> {
    let _deaf = interrupted();
    next_item(pipeline)
}

#[cold]
fn next_watched<P: Pipe>(pipe: &mut P, rare: &mut Extras, pull: Option<WatchedPull<P>>) -> Pulled<P> {
    let watch = rare.watch.as_mut()?;
    pull?(&mut watch.consumer, pipe)
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
fn over<P: Pipe>(pipe: &mut P, rare: &Rare) -> Result<(), Error> {
    pipe.finish()?;
    if let Some(watch) = rare.as_ref().and_then(|rare| rare.watch.as_ref()) {
        watch.consumer.ending().end_views();
    }
    Ok(())
}

/// Folds what is left. (By `try_fold`, or by the pointer of who is watched: a third loop, by `next_item`, would cost each
/// pipeline that is folded as much to compile as a `for` loop does.)
#[inline]
fn fold_items<P: Pipe, B>(pipeline: &mut Pipeline<P>, init: B, mut f: impl FnMut(B, P::Item) -> B) -> Result<B, Error> {
    let Pipeline { pipe: Some(pipe), rare, watched } = pipeline else { return Ok(init) };
    let mut f = |acc, signal: Signal<P>, windows: &[Arc<Window>]| {
        signal.ride().leave(windows);
        match signal {
            Envelope::Item(x, _) => in_sink(|| f(acc, x)),
            _ => acc,
        }
    };
    let (mut acc, mut _deaf) = (init, None);
    loop {
        match rare {
            Some(rare) if rare.watch.is_some() => {
                while let Some(signal) = next_watched(pipe, rare, *watched) {
                    acc = f(acc, signal, &rare.start.windows);
                }
            }
            _ => {
                let windows = windows(rare);
                let fold = |acc, signal| ControlFlow::<Infallible, B>::Continue(f(acc, signal, windows));
                ControlFlow::Continue(acc) = pipe.try_fold(acc, fold);
            }
        }
        if P::INERT {
            return Ok(acc);
        }
        if !stopping() {
            return over(pipe, rare).map(|()| acc);
        }
        _deaf = Some(interrupted());
    }
}

/// It ended with an error.
#[cold]
#[inline(never)]
#[track_caller]
fn ended(rare: &mut Rare, error: Error) -> ! {
    rare.get_or_insert_default().fail(&error);
    error.throw()
}

/// A pull unwound: what was pulled is lost, so the pipeline has failed.
#[cold]
#[inline(never)]
#[track_caller]
fn fail(rare: &mut Rare, panic: Box<dyn Any + Send>) -> ! {
    // what unwinds because this thread is to stop is no failure: another one may pull on
    let error = error_of(panic).unwrap_or_else(|stopped| resume_unwind(stopped));
    rare.get_or_insert_default().fail(&error);
    error.throw()
}

#[inline]
fn windows(rare: &Rare) -> &[Arc<Window>] {
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
            Box::new(Extras { start, failed, watch: None })
        });
        Self { pipe: self.pipe.clone(), rare, watched: None }
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
        let Pipeline { pipe, rare, watched } = &mut *self.lender;
        if failure(rare).is_err() {
            return None;
        }
        let pipe = pipe.as_mut()?;
        let signal = caught(Some(None), || match rare {
            Some(rare) if rare.watch.is_some() => next_watched(pipe, rare, *watched),
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
        let Pipeline { pipe, rare, .. } = &mut *self.lender;
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
