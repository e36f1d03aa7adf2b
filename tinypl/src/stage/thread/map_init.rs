//! `thread::map_init(init, f, workers, maxsize)`: each worker has a state of its own.
use super::queue::{Over, queue_as};
use crate::monitor::Survey;
use crate::pipe::{Below, Pipe, Pulled, Stepped, Watched, Way, through};
use crate::post::{Call, Post};
use std::fmt;

/// Each worker makes a state with `init()`, in its own thread, when it gets its first item; then it applies
/// `f(&mut state, item)`. The state need not be `Send`. The queue's options are [`queue`](super::queue)'s.
///
/// ```
/// use tinypl::{Pipeline, pipeline, source, thread};
///
/// // a buffer for each worker
/// let lengths: usize = pipeline! {
///     ["one", "three"]
///         |> thread::map_init(String::new, |buffer, word| { buffer.push_str(word); word.len() }, workers = 2)
///         |> fold(0, |a, b| a + b)
/// };
/// assert_eq!(lengths, 8);
///
/// // by hand
/// let sums = Pipeline::new(thread::map_init(source(1..4), || 0, |sum, x| { *sum += x; *sum }).workers(1));
/// assert_eq!(sums.collect::<Vec<_>>(), [1, 3, 6]);
/// ```
///
/// # Errors
/// A panic of `init` or `f` ends the pipeline with an [`Error`](crate::Error) that names this stage and the item.
#[track_caller]
pub fn map_init<'a, P, I, F, S, R>(up: P, init: I, f: F) -> Over<'a, MapInit<P, I, F>>
where
    P: Pipe + Send + Sync + 'a,
    I: Fn() -> S + Send + Sync + 'a,
    F: Fn(&mut S, P::Item) -> R + Send + Sync + 'a,
    R: Send,
{
    queue_as(named(up, init, f), "thread::map_init")
}

/// The part before the queue.
#[track_caller]
pub(crate) fn named<P, I, F, S, R>(up: P, init: I, f: F) -> MapInit<P, I, F>
where
    P: Pipe,
    I: Fn() -> S,
    F: Fn(&mut S, P::Item) -> R,
{
    MapInit { up, init, f, post: Post::here("thread::map_init") }
}

/// What [`map_init`] runs on its threads.
#[must_use = "a stage does nothing until it is pulled"]
pub struct MapInit<P, I, F> {
    up: P,
    init: I,
    f: F,
    post: Post,
}

/// A worker's own state beside what the stages above keep.
#[derive(Debug)]
pub struct With<L, S> {
    above: L,
    state: Option<S>,
}

impl<L: Default, S> Default for With<L, S> {
    fn default() -> Self {
        Self { above: L::default(), state: None }
    }
}

impl<P, I, F, S, R> Pipe for MapInit<P, I, F>
where
    P: Pipe,
    I: Fn() -> S,
    F: Fn(&mut S, P::Item) -> R,
{
    type Item = R;
    type Marker = P::Marker;
    type Tags = P::Tags;
    type Local = With<P::Local, S>;
    through!(bottom);
    through!(announce);
    through!(finish);

    fn pull_by<W: Way>(&mut self) -> Pulled<Self> {
        unreachable!("only a queue's workers pull it")
    }

    #[inline]
    fn step(&self, local: &mut Self::Local, signal: Below<Self>, number: u64) -> Stepped<Self> {
        let With { above, state } = local;
        let Some(signal) = self.up.step(above, signal, number)? else { return Ok(None) };
        let at = Call::by::<Watched>(&self.post, Some(number)).begin();
        let signal = signal.map(|x| (self.f)(state.get_or_insert_with(&self.init), x));
        at.left();
        Ok(Some(signal))
    }

    fn survey(&self, survey: &mut Survey) {
        self.up.survey(survey);
        survey.stage(&self.post).function::<F>();
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.up.size_hint()
    }
}

impl<P: fmt::Debug, I, F> fmt::Debug for MapInit<P, I, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MapInit").field("site", &self.post).field("up", &self.up).finish()
    }
}
