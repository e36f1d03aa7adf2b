//! A lock that threads which are to stop don't wait for: its holder may be asleep in a stage that others share. Who waits gets it
//! in his turn.
use super::bell::{Bell, give_way};
use super::stop;
use crate::error::Site;
use crate::monitor::lane::{Doing, Watchers};
use crate::sync::{Arc, AtomicUsize, Mutex, Ordering::*, thread_local};
use std::collections::VecDeque;

/// In `holder`: somebody waits, so who ends his turn hands it on. (Bells lie at even addresses.)
const WAITED: usize = 1;

#[derive(Debug)]
pub(crate) struct Turn {
    site: Site,
    /// Whose turn it is, by his bell's address; 0: nobody's. With [`WAITED`] it is changed under `waiting` alone.
    holder: AtomicUsize,
    /// Who comes next, first.
    waiting: Mutex<VecDeque<Arc<Bell>>>,
    pub(crate) watchers: Arc<Watchers>,
}

/// Ends the turn when it is dropped.
#[derive(Debug)]
pub(crate) struct InTurn<'a> {
    turn: &'a Turn,
    me: usize,
}

thread_local! {
    /// Where this thread waits for its turn. The address is its name.
    static ME: Arc<Bell> = Bell::new();
}

fn name(bell: &Arc<Bell>) -> usize {
    Arc::as_ptr(bell).addr()
}

impl Turn {
    pub(crate) fn new(site: Site) -> Self {
        Self { site, holder: AtomicUsize::new(0), waiting: Mutex::default(), watchers: Arc::default() }
    }

    /// Waits for this thread's turn; `None` if it is to stop.
    ///
    /// # Panics
    /// If it is this thread's turn already: it would wait for itself.
    #[inline]
    pub(crate) fn wait(&self) -> Option<InTurn<'_>> {
        let me = ME.with(name);
        if !self.take(me) && !self.wait_in_line() {
            return None;
        }
        Some(InTurn { turn: self, me })
    }

    /// Whether it was nobody's.
    fn take(&self, me: usize) -> bool {
        self.holder.compare_exchange(0, me, AcqRel, Acquire).is_ok()
    }

    #[cold]
    #[inline(never)]
    fn wait_in_line(&self) -> bool {
        let bell = ME.with(Arc::clone);
        let me = name(&bell);
        assert!(self.holder.load(Acquire) & !WAITED != me, "{}: a stage above it pulls from it", self.site);
        let _waiting = self.watchers.waiting(Doing::Input);
        // to hand on a turn costs a switch between threads: for short ones it is worth to try again
        if give_way(|| self.holder.load(Acquire) == 0) && self.take(me) {
            return true;
        }
        if !self.queue_up(&bell) {
            return true;
        }
        let is_mine = || self.holder.load(Acquire) & !WAITED == me;
        while !is_mine() {
            if stop::requested() {
                self.step_back(&bell);
                return false;
            }
            bell.sleep(0, None, || is_mine() || stop::requested());
        }
        true
    }

    #[cfg(all(test, loom))]
    pub(super) fn is_waited_for(&self) -> bool {
        !self.waiting.lock().is_empty()
    }

    /// Whether there is anybody to wait for; else it is this thread's turn.
    fn queue_up(&self, bell: &Arc<Bell>) -> bool {
        let mut waiting = self.waiting.lock();
        // SYNC POINT: who ends his turn sees `WAITED`, and then what is under the lock
        if self.holder.fetch_or(WAITED, AcqRel) == 0 {
            self.holder.store(name(bell), Release);
            return false;
        }
        waiting.push_back(bell.clone());
        true
    }

    /// Waits no longer.
    fn step_back(&self, bell: &Arc<Bell>) {
        let mut waiting = self.waiting.lock();
        let before = waiting.len();
        waiting.retain(|other| !Arc::ptr_eq(other, bell));
        let has_come = waiting.len() == before;
        drop(waiting);
        if has_come {
            self.hand_on();
        }
    }

    #[cold]
    #[inline(never)]
    fn hand_on(&self) {
        let mut waiting = self.waiting.lock();
        let next = waiting.pop_front();
        let more = if waiting.is_empty() { 0 } else { WAITED };
        self.holder.store(next.as_ref().map_or(0, |next| name(next) | more), Release);
        drop(waiting);
        if let Some(next) = next {
            next.ring();
        }
    }
}

impl Drop for InTurn<'_> {
    #[inline]
    fn drop(&mut self) {
        // who waits has set a bit in it
        if self.turn.holder.compare_exchange(self.me, 0, AcqRel, Acquire).is_err() {
            self.turn.hand_on();
        }
    }
}
