//! `progress(label)`: run by whoever pulls; each puller counts for itself, and a thread draws.
use crate::bars::{self, Bar, Count};
use crate::monitor::Survey;
use crate::pipe::{Below, Envelope, Pipe, Pulled, Signal, Start, Stepped, Way, through};
use crate::post::Post;
use crate::stopping;
use crate::sync::Arc;
use std::fmt::{self, Display};
use std::ops::ControlFlow;

/// A progress bar on stderr: how many items have passed, how many pass in a second, and how long it will take where the number
/// of items is known.
///
/// It is known from the source's exact length through all stages that keep it (those that may drop or multiply items don't),
/// or said by [`len`](Progress::len). The bar appears when the first item is asked for; when the stream ends, fails, or is
/// dropped, a line that says what was counted takes its place. The bars of several pipelines stand below one another.
/// A terminal narrower than the line gets a shorter one. It needs the feature `progress`.
///
/// Where stderr is no terminal (or a `TERM=dumb`), and in worker processes, nothing is written. What else the program prints meanwhile would tear the
/// bars, so print it in [`suspend`](ProgressHandle::suspend).
///
/// An item costs one store to memory that its puller alone writes.
///
/// ```
/// use tinypl::pipeline;
///
/// let sizes: Vec<usize> = pipeline! {
///     ["to", "be", "or", "not"]
///         |> thread::map(|word| word.len(), workers = 2)
///         |> progress("words")                // words ██████████░░░░░░░░░░ 2/4  12.5/s  ETA 0.2 s
///         |> collect()
/// };
/// // words: 4 in 0.3 s, 12.5/s
/// assert_eq!(sizes.len(), 4);
/// ```
#[track_caller]
pub fn progress<P: Pipe>(up: P, label: impl Display) -> Progress<P> {
    Progress {
        up,
        bar: Arc::new(Bar::new(&label.to_string())),
        count: None,
        begun: false,
        post: Post::here("progress"),
    }
}

/// The stage of [`progress`].
#[must_use = "a stage does nothing until it is pulled"]
pub struct Progress<P> {
    up: P,
    bar: Arc<Bar>,
    /// Where one thread pulls: its count. None before the first pull, and after the end.
    count: Option<Count>,
    begun: bool,
    post: Post,
}

impl<P> Progress<P> {
    /// What stands before its `@`.
    #[doc(hidden)]
    pub fn called(mut self, name: &'static str) -> Self {
        self.post.set_handle(name);
        self
    }

    /// How many items are to come, where the stages above don't know it. If more come, the bar no longer tells how long it
    /// will take.
    pub fn len(self, n: usize) -> Self {
        self.bar.set_len(n as u64);
        self
    }

    /// A handle on the live figures.
    pub fn handle(&mut self) -> ProgressHandle {
        ProgressHandle(self.bar.clone())
    }

    /// The same over another upstream.
    pub(crate) fn over<Q>(self, f: impl FnOnce(P) -> Q) -> Progress<Q> {
        let Self { up, bar, count, begun, post } = self;
        Progress { up: f(up), bar, count, begun, post }
    }

    /// Before the first item comes, which may take its time, the bar is there.
    #[inline]
    fn begin(&mut self) {
        if !self.begun {
            self.begun = true;
            self.count = Some(Count::new(&self.bar));
        }
    }
}

/// What one of several pullers counts, beside what the stages above keep. It is dropped when he is done.
#[derive(Debug)]
pub struct Counting<L> {
    above: L,
    count: Option<Count>,
}

impl<L: Default> Default for Counting<L> {
    fn default() -> Self {
        Self { above: L::default(), count: None }
    }
}

/// Counts a signal, if it is an item.
#[inline(always)]
fn note<P: Pipe>(signal: &Signal<P>, count: &mut Option<Count>, bar: &Arc<Bar>) {
    if matches!(signal, Envelope::Item(..)) {
        count.get_or_insert_with(|| Count::new(bar)).add_one();
    }
}

impl<P: Pipe> Pipe for Progress<P> {
    type Item = P::Item;
    type Marker = P::Marker;
    type Tags = P::Tags;
    type Local = Counting<P::Local>;
    through!(place);
    through!(announce);
    through!(finish);

    fn start(&mut self, start: &mut Start) {
        self.up.start(start);
        if let (least, Some(most)) = self.up.size_hint()
            && least == most
        {
            self.bar.expect(most as u64);
        }
    }

    fn survey(&self, survey: &mut Survey) {
        self.up.survey(survey);
        survey.stage(&self.post).option("label", self.bar.label());
    }

    #[inline]
    fn pull_by<W: Way>(&mut self) -> Pulled<Self> {
        self.begin();
        let signal = W::pull(&mut self.up);
        match &signal {
            Some(signal) => note::<P>(signal, &mut self.count, &self.bar),
            None if stopping() => {}
            None => self.count = None,
        }
        signal
    }

    #[inline]
    fn step(&self, local: &mut Self::Local, signal: Below<Self>, number: u64) -> Stepped<Self> {
        let Counting { above, count } = local;
        let count = count.get_or_insert_with(|| Count::new(&self.bar));
        let signal = self.up.step(above, signal, number)?;
        if let Some(Envelope::Item(..)) = &signal {
            count.add_one();
        }
        Ok(signal)
    }

    #[inline]
    fn try_fold<B, C>(
        &mut self,
        init: B,
        mut fold: impl FnMut(B, Signal<Self>) -> ControlFlow<C, B>,
    ) -> ControlFlow<C, B> {
        self.begin();
        let Self { up, bar, count, .. } = self;
        let folded = up.try_fold(init, |acc, signal| {
            note::<P>(&signal, count, bar);
            fold(acc, signal)
        });
        if folded.is_continue() && !stopping() {
            self.count = None;
        }
        folded
    }

    #[inline]
    fn ready(&mut self) -> usize {
        self.up.ready()
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.up.size_hint()
    }
}

impl<P: fmt::Debug> fmt::Debug for Progress<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Progress").field("label", &self.bar.label()).field("up", &self.up).finish()
    }
}

/// The live figures of a [`progress`]. It does not keep the pipeline alive.
#[derive(Clone, Debug)]
pub struct ProgressHandle(Arc<Bar>);

impl ProgressHandle {
    /// How many items have passed.
    pub fn position(&self) -> u64 {
        self.0.position()
    }

    /// How many items there are in all, if that is known.
    pub fn length(&self) -> Option<u64> {
        self.0.len()
    }

    /// Calls `f` while all bars of the process are off the terminal, so that it may print. Pipelines go on meanwhile.
    ///
    /// ```
    /// use tinypl::pipeline;
    ///
    /// pipeline! {
    ///     let numbers = range(3) |> p @ progress("numbers");
    /// }
    /// for x in numbers {
    ///     p.suspend(|| println!("{x} is number {}", p.position()));
    /// }
    /// ```
    pub fn suspend<R>(&self, f: impl FnOnce() -> R) -> R {
        bars::suspend(f)
    }
}
