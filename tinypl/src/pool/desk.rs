//! Where a worker's chunk lies: signals that it took and has not started (`Desk`), results that it finished and has not
//! sent (`Outbox`). The worker pays one atomic step an item. Others reach over when they have nothing else to do: an idle
//! worker steals what is not started, a waiting consumer fetches what is finished. So a chunk delays nothing: neither a
//! signal nor a result waits for its neighbours. Loom checks its `unsafe` (`pool/models.rs`).
use crate::sync::{Arc, AtomicBool, AtomicU64, AtomicUsize, Mutex, MutexGuard, Ordering::*, UnsafeCell};
use crossbeam_utils::CachePadded;
use std::collections::VecDeque;
use std::fmt;
use std::mem::MaybeUninit;

/// Storage without book-keeping: who may touch which slot is said by the counters beside it.
struct Slots<T>(Box<[UnsafeCell<MaybeUninit<T>>]>);

impl<T> Slots<T> {
    fn new(capacity: usize) -> Self {
        Self((0..capacity).map(|_| UnsafeCell::new(MaybeUninit::uninit())).collect())
    }

    /// # Safety
    /// Slot `i` is the caller's alone, and holds nothing that would need to be dropped.
    #[inline]
    unsafe fn put(&self, i: usize, value: T) {
        self.0[i].with_mut(|slot| {
            // SAFETY: no other reference to the slot exists, says the caller
            unsafe { &mut *slot }.write(value);
        });
    }

    /// # Safety
    /// Slot `i` is the caller's alone, and was written since it was last taken.
    #[inline]
    unsafe fn take(&self, i: usize) -> T {
        self.0[i].with_mut(|slot| {
            // SAFETY: no other reference to the slot exists, says the caller
            let slot = unsafe { &*slot };
            // SAFETY: it was written, says the caller, and counts as empty from here on
            unsafe { slot.assume_init_read() }
        })
    }
}

/// The consumer waits for a result of this desk's worker.
const ASKED: u64 = 1 << 63;

fn pack(next: usize, end: usize) -> u64 {
    next as u64 | (end as u64) << 32
}

fn unpack(word: u64) -> (usize, usize) {
    ((word & 0xffff_ffff) as usize, ((word & !ASKED) >> 32) as usize)
}

/// The word that says what of a desk is whose: the next signal to start (low 32 bits), the end of the signals (31 bits),
/// [`ASKED`]. Slots from `next` to `end` are written and nobody's: whoever moves `next` past one owns it. When there are
/// none, all belong to the [`Seat`], once it holds the desk's `lock`: then no thief is still taking one.
#[derive(Debug)]
pub(crate) struct Cursor(CachePadded<AtomicU64>);

impl Cursor {
    /// Asks the worker to say so when it finishes the next item.
    pub(crate) fn ask(&self) {
        self.0.fetch_or(ASKED, AcqRel); // SYNC POINT: `next`; either it sees this, or the asker sees the result put before it
    }
}

/// It has no `Drop`, so that a pipeline that was never shared asks nothing of what it borrows: its worker clears it.
pub(crate) struct Desk<I> {
    cursor: Arc<Cursor>,
    /// Held to write slots, and to take them out of turn.
    lock: Mutex<()>,
    /// Whether its worker sits there.
    seated: AtomicBool,
    slots: Slots<I>,
}

// SAFETY: signals move between threads and are never shared; each slot has one owner at a time (see `Cursor`).
unsafe impl<I: Send> Sync for Desk<I> {}
// SAFETY: a desk owns its signals.
unsafe impl<I: Send> Send for Desk<I> {}

impl<I> Desk<I> {
    pub(crate) fn new(capacity: usize) -> Self {
        let cursor = Arc::new(Cursor(CachePadded::new(AtomicU64::new(0))));
        Self { cursor, lock: Mutex::new(()), seated: AtomicBool::new(false), slots: Slots::new(capacity) }
    }

    pub(crate) fn cursor(&self) -> Arc<Cursor> {
        self.cursor.clone()
    }

    /// For the worker whose desk this is.
    ///
    /// # Panics
    /// If somebody sits there.
    pub(crate) fn sit(&self) -> Seat<'_, I> {
        assert!(!self.seated.swap(true, AcqRel), "a desk has one worker");
        Seat { desk: self }
    }

    /// Whether there is something that nobody has started.
    pub(crate) fn anything_untouched(&self) -> bool {
        let (next, end) = unpack(self.cursor.0.load(Acquire));
        next < end
    }

    /// Takes half of what is not started, the oldest.
    pub(crate) fn steal(&self) -> Vec<I> {
        let _held = self.lock.lock();
        let mut word = self.cursor.0.load(Acquire);
        loop {
            let (next, end) = unpack(word);
            let n = end.saturating_sub(next).div_ceil(2);
            if n == 0 {
                return Vec::new();
            }
            match self.cursor.0.compare_exchange_weak(word, word + n as u64, AcqRel, Acquire) {
                Ok(_) => {
                    // SAFETY: the exchange made these slots ours; `load`, which might write them, waits for the lock
                    return (next..next + n).map(|i| unsafe { self.slots.take(i) }).collect();
                }
                Err(now) => word = now,
            }
        }
    }
}

/// The worker's side of its desk. There is one at a time.
#[derive(Debug)]
pub(crate) struct Seat<'a, I> {
    desk: &'a Desk<I>,
}

impl<I> Seat<'_, I> {
    /// To lay down a new chunk, when the last is done.
    ///
    /// # Panics
    /// If something of the last chunk is left.
    pub(crate) fn load(&mut self) -> Loading<'_, I> {
        let held = self.desk.lock.lock();
        let (next, end) = unpack(self.desk.cursor.0.load(Acquire));
        assert!(next >= end, "the desk is in use");
        Loading { desk: self.desk, n: 0, _held: held }
    }

    /// The next signal to start, and whether the consumer asked.
    #[inline]
    pub(crate) fn next(&mut self) -> (Option<I>, bool) {
        let (next, end) = unpack(self.desk.cursor.0.load(Relaxed));
        if next >= end {
            return (None, false);
        }
        let word = self.desk.cursor.0.fetch_add(1, AcqRel); // SYNC POINT: `ask`
        let asked = word & ASKED != 0;
        if asked {
            self.desk.cursor.0.fetch_and(!ASKED, AcqRel);
        }
        let (next, end) = unpack(word);
        // SAFETY: the step above made slot `next` ours, if it was before the end; then it was written by `load`
        let signal = (next < end).then(|| unsafe { self.desk.slots.take(next) });
        (signal, asked)
    }

    /// Drops what is not started.
    pub(crate) fn clear(&mut self) {
        while let (Some(signal), _) = self.next() {
            drop(signal);
        }
    }
}

impl<I> Drop for Seat<'_, I> {
    fn drop(&mut self) {
        self.desk.seated.store(false, Release);
    }
}

/// A chunk that is being laid down. It counts from when this is dropped, even if a pull panics in between.
pub(crate) struct Loading<'a, I> {
    desk: &'a Desk<I>,
    n: usize,
    _held: MutexGuard<'a, ()>,
}

impl<I> Loading<'_, I> {
    /// # Panics
    /// If the desk is full.
    #[inline(always)]
    pub(crate) fn put(&mut self, signal: I) {
        // SAFETY: nothing is left to start, so all slots belong to who holds the lock; those before `n` are written, the
        // others were emptied; the index is checked
        unsafe { self.desk.slots.put(self.n, signal) };
        self.n += 1;
    }
}

impl<I> Drop for Loading<'_, I> {
    fn drop(&mut self) {
        // nobody else moves `next`: there is nothing to start, and thieves need the lock; but the consumer may ask
        self.desk.cursor.0.fetch_and(ASKED, AcqRel);
        self.desk.cursor.0.fetch_or(pack(0, self.n), Release); // SYNC POINT: `next` and `steal` acquire the slots
    }
}

impl<I> fmt::Debug for Desk<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk").field("cursor", &self.cursor).finish_non_exhaustive()
    }
}

/// What its worker finished and has not sent.
pub(crate) struct Outbox<E> {
    /// How many results of this chunk are finished: slots before it are written. Moved up by the worker; back to 0 by
    /// the worker, holding `fetched`.
    finished: CachePadded<AtomicUsize>,
    /// How many of them were taken out: slots from here to `finished` belong to who holds this.
    fetched: Mutex<usize>,
    slots: Slots<E>,
}

// SAFETY: results move between threads and are never shared; each slot has one owner at a time (see the fields).
unsafe impl<E: Send> Sync for Outbox<E> {}
// SAFETY: an outbox owns its results.
unsafe impl<E: Send> Send for Outbox<E> {}

/// The worker's side of its outbox. There is one, so slots from `finished` on are its own.
#[derive(Debug)]
pub(crate) struct Tray<E> {
    outbox: Arc<Outbox<E>>,
    /// `finished`, as its only writer knows it.
    made: usize,
}

pub(crate) fn outbox<E>(capacity: usize) -> (Tray<E>, Arc<Outbox<E>>) {
    let outbox = Arc::new(Outbox {
        finished: CachePadded::new(AtomicUsize::new(0)),
        fetched: Mutex::new(0),
        slots: Slots::new(capacity),
    });
    (Tray { outbox: outbox.clone(), made: 0 }, outbox)
}

impl<E> Tray<E> {
    /// Whether there is something finished to send.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.made == 0
    }

    /// Puts down a result.
    ///
    /// # Panics
    /// If the outbox is full.
    #[inline]
    pub(crate) fn put(&mut self, result: E) {
        // SAFETY: slots from `made` on are this tray's, and were emptied before `made` went back to 0; the index is checked
        unsafe { self.outbox.slots.put(self.made, result) };
        self.made += 1;
        self.outbox.finished.store(self.made, Release); // SYNC POINT: `fetch`
    }

    /// Moves all that is finished into `results`; `then` is called with their number, under their lock.
    /// How many were made since the last time.
    pub(crate) fn send(&mut self, results: &Mutex<VecDeque<E>>, then: impl FnOnce(usize)) -> usize {
        let mut fetched = self.outbox.fetched.lock();
        let made = self.made;
        if *fetched < made {
            let mut results = results.lock();
            // SAFETY: written by `put`, and ours: `fetched` is held
            results.extend((*fetched..made).map(|i| unsafe { self.outbox.slots.take(i) }));
            let n = made - std::mem::replace(&mut *fetched, made);
            then(n);
        }
        (self.made, *fetched) = (0, 0);
        self.outbox.finished.store(0, Release);
        made
    }
}

impl<E> Outbox<E> {
    /// Takes what was sent, then what is finished and was not sent: so what one worker did stays in its order. How many the
    /// latter were.
    pub(crate) fn fetch(&self, sent: &Mutex<VecDeque<E>>, into: &mut VecDeque<E>) -> usize {
        let mut fetched = self.fetched.lock();
        into.append(&mut sent.lock());
        let finished = self.finished.load(Acquire); // SYNC POINT: `put`
        // SAFETY: results before `finished` are written, and belong to who holds `fetched`
        into.extend((*fetched..finished).map(|i| unsafe { self.slots.take(i) }));
        finished - std::mem::replace(&mut *fetched, finished)
    }

    pub(crate) fn len(&self) -> usize {
        let fetched = self.fetched.lock();
        self.finished.load(Acquire) - *fetched
    }
}

impl<E> Drop for Outbox<E> {
    fn drop(&mut self) {
        let fetched = *self.fetched.get_mut();
        for i in fetched..self.finished.load(Acquire) {
            // SAFETY: nobody else is left, and these are the slots that were written and not taken
            drop(unsafe { self.slots.take(i) });
        }
    }
}

impl<E> fmt::Debug for Outbox<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox").field("finished", &self.finished).finish_non_exhaustive()
    }
}
