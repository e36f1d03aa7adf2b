//! `taken − given ≤ bound`, always: how far a queue, or an order's window, may run ahead of who takes from it.
//!
//! One taker at a time keeps `taken` (behind the lock that it pulls under), one giver at a time its part of `given`.
#[cfg(all(feature = "process", target_os = "linux"))]
use super::bell::take_quiet_turns;
use super::bell::{Bell, NAP, give_way};
use super::stop;
use crate::monitor::lane::{Doing, Watchers};
use crate::sync::{Arc, AtomicUsize, CLOCK, Ordering::*};
use crossbeam_utils::CachePadded;

/// The largest bound: sums of counts don't overflow.
const MOST: usize = usize::MAX / 4;

#[derive(Debug)]
pub(crate) struct Credits {
    /// Written by the giver alone.
    given: CachePadded<AtomicUsize>,
    /// Given back beside the giver, by anybody.
    dropped: CachePadded<AtomicUsize>,
    bound: AtomicUsize,
    bell: Arc<Bell>,
    watchers: Arc<Watchers>,
}

impl Credits {
    pub(crate) fn new(bound: usize) -> Self {
        Self {
            given: CachePadded::new(AtomicUsize::new(0)),
            dropped: CachePadded::new(AtomicUsize::new(0)),
            bound: AtomicUsize::new(bound.min(MOST)),
            bell: Bell::new(),
            watchers: Arc::default(),
        }
    }

    /// Others, of the same stage.
    #[cfg(all(feature = "process", target_os = "linux"))]
    pub(crate) fn beside(&self, bound: usize) -> Self {
        Self { watchers: self.watchers.clone(), ..Self::new(bound) }
    }

    /// Who watches those that wait here.
    pub(crate) fn watchers(&self) -> &Arc<Watchers> {
        &self.watchers
    }

    #[inline]
    pub(crate) fn bound(&self) -> usize {
        self.bound.load(Relaxed)
    }

    pub(crate) fn set_bound(&self, bound: usize) {
        self.bound.store(bound.min(MOST), SeqCst);
        self.bell.ring();
    }

    /// How many more may be taken.
    #[inline]
    pub(crate) fn free(&self, taken: usize) -> usize {
        let given = self.given.load(Acquire) + self.dropped.load(Acquire);
        (given + self.bound()).saturating_sub(taken)
    }

    /// What the giver has given.
    pub(crate) fn closed(&self) -> usize {
        self.given.load(Acquire)
    }

    /// Waits until more than `taken` may be taken, or until this thread is to stop.
    #[cold]
    pub(crate) fn wait(&self, taken: usize, patient: &mut bool) {
        if !self.come_soon(taken) {
            self.sleep(taken, patient);
        }
    }

    /// Lets others run as long as that may help. Whether more than `taken` may be taken now, or this thread is to stop.
    #[cold]
    pub(crate) fn come_soon(&self, taken: usize) -> bool {
        let _waiting = self.watchers.waiting(Doing::Room);
        give_way(|| self.free(taken) > 0 || stop::requested())
    }

    /// Sleeps until more than `taken` may be taken, or until this thread is to stop. At first for half of them, but not for
    /// long (`patient`), then for a single one.
    #[cold]
    pub(crate) fn sleep(&self, taken: usize, patient: &mut bool) {
        let look = || self.free(taken) > 0 || stop::requested();
        let _waiting = self.watchers.waiting(Doing::Room);
        let (bound, dropped) = (self.bound(), self.dropped.load(Acquire));
        let level = |n: usize| (taken + n).saturating_sub(bound + dropped);
        // the level is of no use any more if what it was reckoned from has changed
        let look = || look() || self.bound() != bound || self.dropped.load(Acquire) != dropped;
        if CLOCK && *patient {
            self.bell.sleep(level((bound / 2).max(1)), Some(NAP), look);
        } else {
            self.bell.sleep(level(1), None, look);
        }
        *patient = self.free(taken) > 1;
    }

    /// Waits a moment for at least `n` credits: worth it for who passes on by the heap. (A consumer who naps is left alone: he
    /// wakes when there is as much for him.)
    #[cfg(all(feature = "process", target_os = "linux"))]
    pub(crate) fn nap(&self, taken: usize, n: usize) {
        let _waiting = self.watchers.waiting(Doing::Room);
        let look = || self.free(taken) >= n || stop::requested();
        if !take_quiet_turns(look).found {
            let level = (taken + n).saturating_sub(self.bound() + self.dropped.load(Acquire));
            self.bell.sleep(level, Some(NAP), look);
        }
    }

    /// The giver's count. It may miss a taker who lies down at this very moment, so the giver calls
    /// [`gave`](Self::gave) now and then, and before it waits for anything.
    #[inline]
    pub(crate) fn give(&self, given: usize) {
        self.given.store(given, Release);
        self.bell.hint(given);
    }

    /// Makes sure that no taker sleeps on what was given.
    pub(crate) fn gave(&self) {
        self.bell.reached(self.given.load(Relaxed));
    }

    /// How many may be given between two calls of [`gave`](Self::gave): few enough that the taker hardly notices.
    pub(crate) fn slack(&self) -> usize {
        (self.bound() / 16).min(32)
    }

    /// Gives back what never reaches the giver.
    pub(crate) fn give_back(&self, n: usize) {
        if n > 0 {
            self.dropped.fetch_add(n, AcqRel);
            self.bell.reached(usize::MAX - 1);
        }
    }

    /// What was given back goes the giver's way after all.
    pub(crate) fn take_back(&self, n: usize) {
        self.dropped.fetch_sub(n, AcqRel);
    }
}
