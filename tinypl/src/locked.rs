//! A stage with state: it is written for one puller, and several threads take turns at its lock.
use crate::Error;
use crate::error::{Site, caught, note_number, note_stage};
use crate::monitor::lane::Doing;
use crate::monitor::{OWN, Survey, sampling};
use crate::pipe::{Envelope, Named, Pipe, Pulled, Signal, Start, Stepped, Tagged, Upstream, Watched, Way};
use crate::pool::stop::{self, Pulling};
use crate::pool::{Desks, Hand, Loading, Seat};
use crate::post::{Call, Post};
use crate::sync::{Mutex, MutexGuard};
use std::fmt;
use std::ops::ControlFlow;
use std::time::Duration;

/// A worker who waits this long for the others' turn tells the consumer, who may nap till there are more results.
const MOMENT: Duration = Duration::from_micros(20);

/// What a [`Serial`] stage gives.
pub type Given<S> =
    Envelope<<S as Serial>::Item, <<S as Serial>::Marker as Named>::Raw, <<S as Serial>::Tags as Named>::Raw>;

/// A stage (or source) that one thread at a time pulls. [`stage`] makes a stream of it.
///
/// ```
/// use tinypl::{Envelope, Given, Locked, Pipe, Serial, Upstream, pipeline, stage};
///
/// /// Leaves out an item that equals the one before it.
/// struct Dedup<P: Pipe> {
///     up: P,
///     last: Option<P::Item>,
/// }
/// fn dedup<P: Pipe<Item: PartialEq + Clone>>(up: P) -> Locked<Dedup<P>> {
///     stage(Dedup { up, last: None })
/// }
/// impl<P: Pipe<Item: PartialEq + Clone>> Serial for Dedup<P> {
///     type Item = P::Item;
///     type Marker = P::Marker; // what passes through
///     type Tags = P::Tags;
///
///     fn pull(&mut self) -> Option<Given<Self>> {
///         loop {
///             match self.up.pull()? {
///                 Envelope::Item(x, ride) if self.last.as_ref() == Some(&x) => {
///                     // inside an order the place of what is left out has to be given on
///                     if let Some(gap) = Envelope::gap(ride) {
///                         return Some(gap);
///                     }
///                 }
///                 Envelope::Item(x, ride) => {
///                     self.last = Some(x.clone());
///                     return Some(Envelope::Item(x, ride));
///                 }
///                 other => return Some(other),
///             }
///         }
///     }
///     fn upstream(&mut self) -> Option<&mut dyn Upstream> {
///         Some(&mut self.up)
///     }
/// }
/// let all: Vec<i32> = pipeline! { [1, 1, 2, 2, 1] |> dedup() |> collect() };
/// assert_eq!(all, [1, 2, 1]);
/// ```
pub trait Serial {
    /// What the stream is about.
    type Item;
    /// The markers that pass, as of [`Pipe::Marker`].
    type Marker: Named;
    /// The orders that are open, as of [`Pipe::Tags`].
    type Tags: Tagged;

    /// The next signal. `None` is the end, unless the thread that pulls is to stop (then the stage may be pulled again by
    /// another): a stage that remembers having ended asks [`stopping`].
    fn pull(&mut self) -> Option<Given<Self>>;

    /// The same, for whoever may be watched at it.
    #[doc(hidden)]
    #[inline]
    fn pull_by<W: Way>(&mut self) -> Option<Given<Self>>
    where
        Self: Sized,
    {
        let _watched = W::WATCHED.then(sampling::watch);
        self.pull()
    }

    /// The stream above; `None` for a source. By it threads are started and errors found, so there is no default.
    fn upstream(&mut self) -> Option<&mut dyn Upstream>;

    /// As [`Pipe::try_fold`].
    #[inline]
    fn try_fold<B, C>(&mut self, init: B, mut f: impl FnMut(B, Given<Self>) -> ControlFlow<C, B>) -> ControlFlow<C, B>
    where
        Self: Sized,
    {
        let mut acc = init;
        while let Some(signal) = self.pull() {
            acc = f(acc, signal)?;
        }
        ControlFlow::Continue(acc)
    }

    /// As [`Pipe::INERT`].
    #[doc(hidden)]
    const INERT: bool = false;

    /// Whether the stage knows itself how many items it gave, so that they need not be counted one by one.
    #[doc(hidden)]
    const COUNTS: bool = false;

    /// Whether what a pull takes is the stage's own time. What is taken from a queue its workers have made.
    #[doc(hidden)]
    const WORKS: bool = true;

    /// How many items it gave; asked only where it [`COUNTS`](Self::COUNTS).
    #[doc(hidden)]
    fn items(&self) -> u64 {
        0
    }

    /// As [`Pipe::ready`]: 0 unless it is sure.
    #[inline]
    fn ready(&mut self) -> usize {
        0
    }

    /// As [`Pipe::size_hint`].
    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, None)
    }

    #[doc(hidden)]
    fn start(&mut self, start: &mut Start) {
        if let Some(up) = self.upstream() {
            up.begin(start);
        }
    }

    /// As [`Pipe::survey`]; `given` items were pulled.
    #[doc(hidden)]
    fn survey(&mut self, post: &Post, given: u64, survey: &mut Survey) {
        if let Some(up) = self.upstream() {
            up.show(survey);
        }
        self.describe(survey.stage(post).own::<Self>().counts(given));
    }

    /// What there is to say of the stage: its options.
    #[doc(hidden)]
    fn describe(&self, _: &mut Survey) {}

    /// After the end: the error that ended it.
    ///
    /// # Errors
    /// The first error of this stream.
    #[doc(hidden)]
    fn finish(&mut self) -> Result<(), Error> {
        self.upstream().map_or(Ok(()), Upstream::end)
    }
}

/// [`Serial::pull`] of a stage of this crate, which says in `pull_by` how it is pulled.
macro_rules! pulls {
    () => {
        #[inline]
        fn pull(&mut self) -> Option<crate::Given<Self>> {
            self.pull_by::<crate::pipe::Unwatched>()
        }
    };
}
pub(crate) use pulls;

/// Whether the thread that pulls is one of a queue's that is being stopped: a `None` from upstream is no end then.
pub fn stopping() -> bool {
    stop::requested()
}

/// A [`Serial`] stage as a stream.
///
/// `Sync` asks no more of `S` and its items than `Send`.
#[must_use = "a stage does nothing until it is pulled"]
pub struct Locked<S: Serial> {
    post: Post,
    state: Mutex<State<S>>,
    /// Where the workers of a queue put what they take; none where one thread alone pulls. (Boxed, so that there it leaves
    /// no trace in a chain's code.)
    desks: Option<Box<Desks<Numbered<S>>>>,
}

struct State<S> {
    stage: S,
    /// How many items were pulled.
    items: u64,
    /// How many signals were taken for a queue's workers.
    taken: usize,
    /// Whether several were ever taken at once.
    chunked: bool,
    ended: bool,
    failure: Option<Error>,
}

pub(crate) type Numbered<S> = (u64, Given<S>);

/// Makes a stream of a stage with state.
#[track_caller]
pub fn stage<S: Serial>(stage: S) -> Locked<S> {
    Locked::new(stage, Post::here(OWN))
}

/// How a worker's attempt to fill its desk ended.
#[derive(Debug)]
pub(crate) enum Refill {
    /// There is work on the desk.
    Loaded,
    /// Nothing comes any more.
    Over,
    /// The stream above failed.
    Failed(Error),
}

impl<S: Serial> Locked<S> {
    pub(crate) fn new(stage: S, post: Post) -> Self {
        let state = State { stage, items: 0, taken: 0, chunked: false, ended: false, failure: None };
        Self { post, state: Mutex::new(state), desks: None }
    }

    pub(crate) fn site(&self) -> Site {
        self.post.site()
    }

    pub(crate) fn post(&self) -> &Post {
        &self.post
    }

    /// What stands before its `@`.
    pub(crate) fn set_handle(&mut self, name: &'static str) {
        self.post.set_handle(name);
    }

    /// The stage itself, before anybody shares it.
    #[inline]
    pub(crate) fn stage_mut(&mut self) -> &mut S {
        &mut self.state.get_mut().stage
    }

    /// Looks at the stage, whoever holds it.
    pub(crate) fn peek<R>(&self, f: impl FnOnce(&S) -> R) -> R {
        f(&self.state.lock().stage)
    }

    /// The stage that `f` makes of it: options may change types.
    pub(crate) fn with<T: Serial>(self, f: impl FnOnce(S) -> T) -> Locked<T> {
        Locked::new(f(self.state.into_inner().stage), self.post)
    }

    /// Several threads are going to pull it.
    pub(crate) fn share(&mut self, pullers: usize, chunk: usize) {
        let state = self.state.get_mut();
        state.items = state.given();
        if let Some(probe) = self.post.probe() {
            probe.share(state.items, pullers);
        }
        self.desks = Some(Box::new(Desks::new(pullers, chunk)));
    }

    pub(crate) fn desks(&self) -> &Desks<Numbered<S>> {
        self.desks.as_ref().expect("several threads pull it")
    }

    /// Puts up to `hand.want` signals on the worker's desk: from the stage, or from another desk. It may wait; then nothing
    /// lies untouched on any desk, so nobody who could start an item waits while there is one.
    pub(crate) fn refill(&self, hand: &mut Hand, seat: &mut Seat<'_, Numbered<S>>, announce: &dyn Fn()) -> Refill {
        let _pulling = Pulling::begin();
        loop {
            if hand.flow.stop.is_requested() {
                return Refill::Over;
            }
            let Some(mut state) = self.state.try_lock().or_else(|| self.lock_soon(hand)) else {
                // who holds it may wait for the source, for long
                if self.steal(hand, seat) {
                    return Refill::Loaded;
                }
                let _waiting = hand.flow.watchers().waiting(Doing::Input);
                stop::ring_downstream();
                drop(self.state.lock());
                continue;
            };
            if state.ended {
                let failure = state.failure.take();
                drop(state);
                return match failure {
                    Some(error) => Refill::Failed(error),
                    None if self.steal(hand, seat) => Refill::Loaded,
                    None => Refill::Over,
                };
            }
            let taken = state.taken;
            let free = hand.flow.credits.free(taken);
            if free == 0 {
                drop(state);
                let credits = &hand.flow.credits;
                if !credits.come_soon(taken) {
                    if self.steal(hand, seat) {
                        return Refill::Loaded;
                    }
                    hand.flow.credits.sleep(taken, &mut hand.patient);
                }
                continue;
            }
            let sure = state.stage.ready();
            // a pull may wait, and those who wait for this lock with it: first what lies about untouched
            if sure == 0 && state.chunked && self.steal(hand, seat) {
                return Refill::Loaded;
            }
            announce();
            let want = hand.want.min(free).min(sure.max(1));
            let items = state.items;
            hand.loaded = state.fill(seat, want, hand.measured, &self.post);
            hand.taken = state.taken;
            if let Some(probe) = self.post.probe() {
                probe.gave_to(hand.seat, state.items - items);
            }
            if hand.loaded > 0 {
                return Refill::Loaded;
            }
        }
    }

    /// The state, if whoever holds it is about to let go.
    #[cold]
    fn lock_soon(&self, hand: &Hand) -> Option<MutexGuard<'_, State<S>>> {
        let _waiting = hand.flow.watchers().waiting(Doing::Input);
        self.state.try_lock_for(MOMENT)
    }

    /// Takes over from another worker; the credits come along.
    #[cold]
    fn steal(&self, hand: &mut Hand, seat: &mut Seat<'_, Numbered<S>>) -> bool {
        hand.loaded = self.desks().steal(hand.seat, seat);
        hand.loaded > 0
    }
}

impl<S: Serial> State<S> {
    /// How many items one puller got.
    fn given(&self) -> u64 {
        if S::COUNTS { self.stage.items() } else { self.items }
    }

    /// Pulls `want` signals onto the desk. How many there were.
    fn fill(&mut self, seat: &mut Seat<'_, Numbered<S>>, want: usize, measured: Option<usize>, post: &Post) -> usize {
        let before = self.taken;
        let pulled = caught(Some(false), || self.pull_onto(seat, want, measured, post));
        let n = self.taken - before;
        self.chunked |= n > 1;
        let failure = match pulled {
            Ok(true) => return n,
            Ok(false) if stop::requested() => return n,
            Ok(false) => caught(Some(Ok(())), || self.stage.finish()).and_then(|finished| finished).err(),
            Err(panic) => Some(panic),
        };
        (self.ended, self.failure) = (true, failure);
        n
    }

    /// Whether there may be more.
    fn pull_onto(
        &mut self,
        seat: &mut Seat<'_, Numbered<S>>,
        want: usize,
        measured: Option<usize>,
        post: &Post,
    ) -> bool {
        // the desk is held only from the first on: nobody waits for it while we may wait
        let (mut seat, mut loading) = (Some(seat), None::<Loading<'_, Numbered<S>>>);
        for n in 0..want {
            let is_measured = measured == Some(n);
            if is_measured {
                sampling::begin();
            }
            let taken = self.take(post);
            if is_measured {
                sampling::keep();
            }
            let Some(signal) = taken else { return false };
            if let Some(seat) = seat.take() {
                loading = Some(seat.load());
            }
            let Some(loading) = &mut loading else { unreachable!("the seat was there the first time") };
            loading.put(signal);
        }
        true
    }

    #[inline(always)] // through memory a signal costs more than all the rest
    fn take(&mut self, post: &Post) -> Option<Numbered<S>> {
        let number = self.items;
        let at = Call::by::<Watched>(post, Some(number)).measured(S::WORKS).begin();
        let signal = self.stage.pull_by::<Watched>();
        at.left();
        let signal = signal?;
        self.items += u64::from(matches!(signal, Envelope::Item(..)));
        self.taken += 1;
        Some((number, signal))
    }
}

impl<S: Serial> Pipe for Locked<S> {
    type Item = S::Item;
    type Marker = S::Marker;
    type Tags = S::Tags;
    type Local = ();
    type Bottom = S;
    const INERT: bool = S::INERT;

    #[inline]
    fn pull_by<W: Way>(&mut self) -> Pulled<Self> {
        let State { stage, items, .. } = self.state.get_mut();
        let at = Call::by::<W>(&self.post, (!S::COUNTS).then_some(*items)).measured(S::WORKS).begin();
        let signal = stage.pull_by::<W>();
        at.left();
        if !S::COUNTS {
            *items += u64::from(matches!(signal, Some(Envelope::Item(..))));
        }
        if W::WATCHED
            && let Some(probe) = self.post.probe()
        {
            probe.has_given(if S::COUNTS { stage.items() } else { *items });
        }
        signal
    }

    #[inline(always)]
    fn step(&self, (): &mut (), signal: Given<S>, _: u64) -> Stepped<Self> {
        Ok(Some(signal))
    }

    #[inline]
    fn bottom(&self) -> &Self {
        self
    }

    #[inline]
    fn bottom_mut(&mut self) -> &mut Self {
        self
    }

    #[inline]
    fn try_fold<B, C>(
        &mut self,
        init: B,
        mut f: impl FnMut(B, Signal<Self>) -> ControlFlow<C, B>,
    ) -> ControlFlow<C, B> {
        let folding = Folding { state: self.state.get_mut(), post: &self.post };
        let State { stage, items, .. } = &mut *folding.state;
        let folded = stage.try_fold(init, |acc, signal| {
            if !S::COUNTS {
                *items += u64::from(matches!(signal, Envelope::Item(..)));
            }
            f(acc, signal)
        });
        std::mem::forget(folding);
        folded
    }

    #[inline]
    fn ready(&mut self) -> usize {
        self.stage_mut().ready()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.state.try_lock().map_or((0, None), |state| state.stage.size_hint())
    }

    fn survey(&self, survey: &mut Survey) {
        let mut state = self.state.lock();
        let given = state.given();
        state.stage.survey(&self.post, given, survey);
        survey.carries::<Self>();
    }

    fn start(&mut self, start: &mut Start) {
        self.stage_mut().start(start);
    }

    fn finish(&mut self) -> Result<(), Error> {
        self.stage_mut().finish()
    }

    fn number(&mut self) -> u64 {
        self.state.get_mut().given().saturating_sub(1)
    }
}

/// Stands around a fold. If the stack unwinds through it, it tells a stage below, which is on the stack above the fold, the
/// number of its item; or the panic is this stage's own.
struct Folding<'a, S: Serial> {
    state: &'a mut State<S>,
    post: &'a Post,
}

impl<S: Serial> Drop for Folding<'_, S> {
    #[cold]
    fn drop(&mut self) {
        let given = self.state.given();
        note_number(given.saturating_sub(1));
        note_stage(self.post.site(), given);
    }
}

impl<S: Serial> fmt::Debug for Locked<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Locked").field(&self.post).finish()
    }
}
