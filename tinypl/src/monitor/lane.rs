//! What one thread does with its time: it works, or it waits for input, or for room. Each moment of its life is in one of
//! these accounts, so they add up.
use super::Probe;
use super::sampling::{self, Mix, Turns};
use super::trace::Track;
use crate::pool::stop;
use crate::sync::Arc;
use parking_lot::Mutex;
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering::*, fence};
use std::sync::{LazyLock, OnceLock, Weak};
use std::time::{Duration, Instant};

/// What a thread is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doing {
    Work,
    /// It waits for the stages above.
    Input,
    /// It waits for whoever takes its results.
    Room,
    /// It has not begun, or has ended, or has nothing to do with the pipeline at this moment.
    Nothing,
}

const DOINGS: [Doing; 4] = [Doing::Work, Doing::Input, Doing::Room, Doing::Nothing];

static EPOCH: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Nanoseconds since some moment of this process.
pub(crate) fn now() -> u64 {
    at(Instant::now())
}

/// That of another moment.
pub(crate) fn at(moment: Instant) -> u64 {
    moment.saturating_duration_since(*EPOCH).as_nanos() as u64
}

/// A thread's accounts. It writes them, others read; before anybody asks for them they are idle.
#[derive(Debug)]
#[repr(align(128))] // as `CachePadded`: no other thread's are beside them
pub(crate) struct Lane {
    /// From 1; no other one has it.
    id: u64,
    on: AtomicBool,
    doing: AtomicU8,
    since: AtomicU64,
    spent: [AtomicU64; 4],
    /// Odd while its thread writes.
    turn: AtomicU64,
    /// Whether its work is to get input.
    pulls: AtomicBool,
    /// Somebody has asked for figures: what the thread is at is to be measured.
    asked: AtomicBool,
    track: OnceLock<Track>,
}

impl Lane {
    pub(crate) fn new() -> Arc<Self> {
        static IDS: AtomicU64 = AtomicU64::new(1);
        Arc::new(Self {
            id: IDS.fetch_add(1, Relaxed),
            on: AtomicBool::new(false),
            doing: AtomicU8::new(Doing::Nothing as u8),
            since: AtomicU64::new(0),
            spent: Default::default(),
            turn: AtomicU64::new(0),
            pulls: AtomicBool::new(false),
            asked: AtomicBool::new(false),
            track: OnceLock::new(),
        })
    }

    /// Its time counts from now on.
    pub(crate) fn turn_on(&self) {
        if !self.on.load(Relaxed) {
            self.since.store(now(), Relaxed);
            self.on.store(true, Relaxed);
        }
    }

    #[inline]
    pub(crate) fn is_on(&self) -> bool {
        self.on.load(Relaxed)
    }

    /// Draws it in a timeline; the first one.
    #[cfg_attr(not(feature = "trace"), expect(dead_code, reason = "there are no timelines"))]
    pub(crate) fn draw(&self, track: Track) {
        let _ = self.track.set(track);
    }

    pub(crate) fn track(&self) -> Option<&Track> {
        self.track.get()
    }

    /// Somebody looks.
    pub(super) fn ask(&self) {
        self.asked.store(true, Relaxed);
    }

    #[inline]
    pub(super) fn is_asked(&self) -> bool {
        self.asked.load(Relaxed)
    }

    /// Whether somebody has looked since the last time.
    pub(super) fn take_question(&self) -> bool {
        self.is_asked() && self.asked.swap(false, Relaxed)
    }

    /// Since when it is at what it is at.
    pub(super) fn since(&self) -> u64 {
        self.since.load(Relaxed)
    }

    fn doing(&self) -> Doing {
        DOINGS[usize::from(self.doing.load(Relaxed))]
    }

    /// The thread turns to something else. The moment.
    pub(crate) fn set(&self, doing: Doing) -> u64 {
        self.turn_to(doing).2
    }

    /// Nanoseconds of work, up to when it last turned to something else.
    pub(crate) fn worked(&self) -> u64 {
        self.spent[Doing::Work as usize].load(Relaxed)
    }

    /// Turns to something else; since when it was at the last, and the moment.
    fn turn_to(&self, doing: Doing) -> (Doing, u64, u64) {
        let before = self.doing();
        if !self.is_on() {
            self.doing.store(doing as u8, Relaxed);
            return (before, 0, 0);
        }
        let (since, now) = (self.since.load(Relaxed), now());
        let turn = self.turn.load(Relaxed);
        self.turn.store(turn + 1, Relaxed);
        fence(Release); // SYNC POINT: `accounts`; who sees what follows sees that it is under way
        self.doing.store(doing as u8, Relaxed);
        self.spent[before as usize]
            .store(self.spent[before as usize].load(Relaxed) + now.saturating_sub(since), Relaxed);
        self.since.store(now, Relaxed);
        self.turn.store(turn + 2, Release); // SYNC POINT: `accounts`
        (before, since, now)
    }

    /// The accounts up to this moment at the latest. (A seqlock: H.-J. Boehm, "Can seqlocks get along with programming
    /// language memory models?", 2012.)
    pub(crate) fn accounts(&self, until: u64) -> Accounts {
        loop {
            let turn = self.turn.load(Acquire);
            let closed = std::array::from_fn(|i| self.spent[i].load(Relaxed));
            let (doing, since) = (self.doing(), self.since.load(Relaxed));
            fence(Acquire); // SYNC POINT: `turn_to`
            if turn.is_multiple_of(2) && self.turn.load(Relaxed) == turn {
                let open = if self.is_on() { until.saturating_sub(since) } else { 0 };
                return Accounts { closed, doing, open, pulls: self.pulls.load(Relaxed) };
            }
            std::thread::yield_now();
        }
    }
}

/// What a thread did with its time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Accounts {
    closed: [u64; 4],
    doing: Doing,
    /// For so long it has been at that.
    open: u64,
    /// Whether the work at hand is to get input.
    pub(crate) pulls: bool,
}

impl Accounts {
    pub(crate) fn of(&self, doing: Doing) -> Duration {
        let open = if self.doing == doing { self.open } else { 0 };
        Duration::from_nanos(self.closed[doing as usize] + open)
    }

    /// Of work, the part that is under way.
    pub(crate) fn at_hand(&self) -> Duration {
        Duration::from_nanos(if self.doing == Doing::Work { self.open } else { 0 })
    }
}

thread_local! {
    /// The lane of whoever pulls a watched pipeline on this thread at this moment, by its id; 0: nobody does.
    static PULLING: Cell<u64> = const { Cell::new(0) };
}

/// Until it is dropped this thread pulls the pipeline whose consumer's lane it was made by.
#[derive(Debug)]
pub(super) struct Pulling(u64);

impl Lane {
    /// (A number costs less than to lend the lane, and this is done for each item.)
    #[inline]
    pub(super) fn pulling(&self) -> Pulling {
        Pulling(PULLING.replace(self.id))
    }
}

impl Drop for Pulling {
    #[inline]
    fn drop(&mut self) {
        PULLING.set(self.0);
    }
}

/// Who watches a stage that waits. A wait is one for input, or for room, if the pipeline is watched that the stage is part of. If
/// it stands in another one, which a function of a stage pulls, to wait is that function's work.
#[derive(Debug, Default)]
pub(crate) struct Watchers(Mutex<Vec<Weak<Lane>>>);

impl Watchers {
    /// The stage is part of the pipeline that this lane's thread pulls.
    pub(super) fn add(&self, consumer: &Arc<Lane>) {
        let mut lanes = self.0.lock();
        lanes.retain(|lane| lane.strong_count() > 0);
        lanes.push(Arc::downgrade(consumer));
    }

    /// Whose time it is that this thread waits.
    fn lane(&self) -> Option<Arc<Lane>> {
        match PULLING.get() {
            // a worker's lane tells what it is at even before anybody watches; till then nobody is asked, for the lock would
            // go from worker to worker
            0 => stop::lane().filter(|lane| !lane.is_on() || !self.0.lock().is_empty()),
            id => self.0.lock().iter().filter_map(Weak::upgrade).find(|lane| lane.id == id),
        }
    }

    /// This thread begins to wait.
    pub(crate) fn waiting(&self, what: Doing) -> Waiting {
        Waiting(self.lane().map(|lane| {
            let (before, ..) = lane.turn_to(what);
            (lane, before)
        }))
    }
}

/// Stands for a wait of this thread, until it is dropped.
#[derive(Debug)]
pub(crate) struct Waiting(Option<(Arc<Lane>, Doing)>);

impl Drop for Waiting {
    fn drop(&mut self) {
        let Some((lane, before)) = &self.0 else { return };
        let (what, since, now) = lane.turn_to(*before);
        if lane.is_on() {
            sampling::waited(now.saturating_sub(since));
            if let Some(track) = lane.track.get() {
                track.waited(what, since, now);
            }
        }
    }
}

/// So many nanoseconds of work may wait to be shared out.
const LAG: u64 = 100_000;

/// A part of what a thread does over and over.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Part {
    /// It gets input: the stages with state, above.
    Pull,
    /// It works at what it got.
    Work,
}

impl Part {
    fn other(self) -> Self {
        match self {
            Self::Pull => Self::Work,
            Self::Work => Self::Pull,
        }
    }
}

/// Shares a thread's working time out to the stages that it ran.
#[derive(Debug)]
pub(crate) struct Shares {
    lane: Arc<Lane>,
    watched: bool,
    /// Working time that was seen; of it, what each part took and was not shared out yet.
    seen: u64,
    pending: [u64; 2],
    /// When it is to be shared out again.
    due: u64,
    mixes: [Mix; 2],
    turns: [Turns; 2],
    /// Items took long, and it is not known of what: what is pending waits for a sample.
    odd: [bool; 2],
    /// When the part at hand began.
    began: u64,
    /// Whose the time is of which nothing is known.
    rest: Arc<Probe>,
}

impl Shares {
    pub(crate) fn new(lane: Arc<Lane>, rest: Arc<Probe>) -> Self {
        let (pending, mixes, turns) = ([0; 2], Default::default(), [Turns::new(), Turns::new()]);
        Self { lane, watched: false, seen: 0, pending, due: 0, mixes, turns, odd: [false; 2], began: 0, rest }
    }

    /// Before a part, of about so many items: `None` if nobody watches, else the number of the one that is to be measured (or
    /// one that doesn't occur).
    #[inline]
    pub(crate) fn begin(&mut self, part: Part, items: usize) -> Option<usize> {
        if self.lane.is_on() { Some(self.begin_watched(part, items)) } else { None }
    }

    #[cold]
    fn begin_watched(&mut self, part: Part, items: usize) -> usize {
        if !self.watched {
            self.watched = true;
            // who began to watch did so in the part before this one
            self.see(part.other());
        }
        self.lane.pulls.store(matches!(part, Part::Pull), Relaxed);
        self.began = self.lane.since.load(Relaxed);
        let turns = &mut self.turns[part as usize];
        if self.odd[part as usize] || turns.left() < items as u64 { turns.throw(items) } else { usize::MAX }
    }

    /// After a part that was begun.
    #[cold]
    pub(crate) fn end(&mut self, part: Part, items: usize) {
        let before = self.seen;
        let now = self.see(part);
        let sample = sampling::kept();
        let (i, n, took) = (part as usize, items as u64, self.seen - before);
        if sample.is_empty() {
            self.odd[i] |= self.turns[i].passed(n, took);
        } else {
            let (others, odd) = self.turns[i].measured(&sample, n, took);
            self.odd[i] = odd;
            let pending = std::mem::take(&mut self.pending[i]);
            self.mixes[i].settle(pending, &sample, others, &self.rest);
        }
        if now >= self.due {
            self.due = now + LAG;
            self.settle(|odd| !odd);
        }
        if let Some(track) = self.lane.track.get() {
            track.did(part, items, self.began, now, &sample);
        }
    }

    /// The working time since the last look was this part's. The moment.
    fn see(&mut self, part: Part) -> u64 {
        let (.., now) = self.lane.turn_to(Doing::Work);
        let work = self.lane.worked();
        self.pending[part as usize] += work - self.seen;
        self.seen = work;
        now
    }

    /// Shares out what is pending, where it is known how.
    fn settle(&mut self, may: impl Fn(bool) -> bool) {
        for ((pending, mix), odd) in self.pending.iter_mut().zip(&self.mixes).zip(self.odd) {
            if !mix.is_empty() && may(odd) {
                mix.share(std::mem::take(pending), &self.rest);
            }
        }
    }
}

impl Drop for Shares {
    fn drop(&mut self) {
        self.settle(|_| true);
        self.rest.was_busy(self.pending.iter().sum());
    }
}
