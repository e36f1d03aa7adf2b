//! A page that a worker shares with its parent: how far it is, and what it has finished and not sent. So a chunk delays
//! nothing, and a death loses nothing: the parent sees which item ran, takes back what was not started, and reads results
//! that the worker could not send any more.
//!
//! One word says who may start items, as the cursor of a thread's desk does (`pool/desk.rs`). There is no lock in it: a
//! worker may die between any two instructions.
use crate::shm::Region;
use std::ops::Range;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::*, fence};

/// Bytes of results that wait for company.
const OUTBOX: usize = 32 << 10;
/// Where they begin.
const HEADER: usize = 64;
/// As large as the region has to be.
pub(crate) const SIZE: usize = HEADER + OUTBOX;

/// The lowest bit of the cursor: nothing more is to be started until a `Resume`.
const RECALLED: u64 = 1;

#[derive(Debug)]
pub(crate) struct Page(Region);

/// Words of the header.
#[derive(Clone, Copy)]
enum Word {
    /// How many items were started, times 2; and [`RECALLED`].
    Cursor,
    /// Nanoseconds that items took, in all.
    Busy,
    /// How many items that was.
    Items,
    /// How often the outbox was sent. While it stays the same, bytes below `Length` don't change.
    Epoch,
    /// Bytes in the outbox.
    Length,
}

impl Page {
    /// # Panics
    /// If the region is too small.
    pub(crate) fn new(region: Region) -> Self {
        assert!(region.len() >= SIZE, "a page is {SIZE} bytes");
        Self(region)
    }

    fn word(&self, word: Word) -> &AtomicU64 {
        // SAFETY: the header lies within the mapping, which lives as long as `self`, and begins at a page's start
        let word = unsafe { self.0.as_ptr().cast::<u64>().add(word as usize) };
        // SAFETY: aligned, mapped, and every process touches it as an atomic only
        unsafe { AtomicU64::from_ptr(word) }
    }

    fn outbox(&self) -> &[AtomicU8] {
        // SAFETY: `new` made sure that the mapping reaches this far
        let start = unsafe { self.0.as_ptr().add(HEADER) };
        // SAFETY: mapped as long as `self` lives, and every process touches it as atomics only
        unsafe { std::slice::from_raw_parts(start.cast::<AtomicU8>(), OUTBOX) }
    }

    // ---- the worker's side

    /// Starts the next item, unless what was sent has been taken back.
    pub(crate) fn start(&self) -> bool {
        self.word(Word::Cursor).fetch_add(2, AcqRel) & RECALLED == 0 // SYNC POINT: `recall`
    }

    /// The next item is the one of this number.
    pub(crate) fn resume(&self, number: u64) {
        self.word(Word::Cursor).store(number << 1, Release);
    }

    /// An item has taken this long.
    pub(crate) fn took(&self, nanoseconds: u64) {
        self.word(Word::Busy).fetch_add(nanoseconds, Relaxed);
        self.word(Word::Items).fetch_add(1, Relaxed);
    }

    /// Puts a finished frame where the parent can see it before it is sent. False if there is no room.
    pub(crate) fn publish(&self, frame: &[u8]) -> bool {
        let length = self.word(Word::Length).load(Relaxed) as usize;
        let Some(free) = self.outbox().get(length..length + frame.len()) else { return false };
        for (place, byte) in free.iter().zip(frame) {
            place.store(*byte, Relaxed);
        }
        self.word(Word::Length).store((length + frame.len()) as u64, Release); // SYNC POINT: `finished`
        true
    }

    /// All of it was sent.
    pub(crate) fn sent(&self) {
        self.word(Word::Epoch).fetch_add(1, AcqRel);
        fence(Release); // SYNC POINT: `finished`; who reads a byte of the next frames sees that the epoch has ended
        self.word(Word::Length).store(0, Relaxed);
    }

    // ---- the parent's side

    /// Takes back all items that were not started; the first of them. `None` if that was done before, and the worker has
    /// not gone on since.
    pub(crate) fn recall(&self) -> Option<u64> {
        let cursor = self.word(Word::Cursor).fetch_or(RECALLED, AcqRel); // SYNC POINT: `start`
        (cursor & RECALLED == 0).then_some(cursor >> 1)
    }

    /// How many items were started; `None` after a recall, until the worker goes on.
    pub(crate) fn started(&self) -> Option<u64> {
        let cursor = self.word(Word::Cursor).load(Acquire);
        (cursor & RECALLED == 0).then_some(cursor >> 1)
    }

    /// The nanoseconds that items took, and how many items that was.
    pub(crate) fn took_so_far(&self) -> (u64, u64) {
        (self.word(Word::Busy).load(Relaxed), self.word(Word::Items).load(Relaxed))
    }

    /// The frames that are finished and not sent; none if they were sent meanwhile. (A seqlock: H.-J. Boehm, "Can seqlocks
    /// get along with programming language memory models?", 2012.)
    pub(crate) fn finished(&self) -> Vec<u8> {
        let epoch = self.word(Word::Epoch).load(Acquire);
        let length = self.word(Word::Length).load(Acquire) as usize; // SYNC POINT: `publish`
        let range: Range<usize> = 0..length.min(OUTBOX);
        let bytes = self.outbox()[range].iter().map(|byte| byte.load(Relaxed)).collect();
        fence(Acquire); // SYNC POINT: `sent`
        if self.word(Word::Epoch).load(Relaxed) == epoch { bytes } else { Vec::new() }
    }
}
