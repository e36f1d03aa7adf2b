//! A page that a worker shares with its parent: how far it is, and what it has finished and not sent. So a chunk delays
//! nothing, and a death loses nothing: the parent sees which item ran, takes back what was not started, and reads results
//! that the worker could not send any more.
//!
//! One word says who may start items, as the cursor of a thread's desk does (`pool/desk.rs`). There is no lock in it: a
//! worker may die between any two instructions.
use super::cells::{AtomicU8, AtomicU64, BYTES, Cells, fence};
use crate::shm::Region;
use crate::sync::Ordering::*;

pub(crate) use super::cells::SIZE;

/// A bit of the cursor: nothing more is to be started until a `Resume`.
const RECALLED: u64 = 1;
/// A bit of the cursor: the parent sleeps until it hears of the worker.
const LISTENING: u64 = 2;
/// The rest of the cursor counts.
const ONE: u64 = 4;

/// What a worker does that has come to an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    Run,
    /// The parent sleeps: what is finished is not to wait for this item.
    SendAndRun,
    /// It was taken back.
    Drop,
}

#[derive(Debug)]
#[cfg_attr(loom, derive(Default))]
pub(crate) struct Page(Cells);

/// Words of the header.
#[derive(Clone, Copy)]
enum Word {
    /// How many items were started, times [`ONE`]; and [`RECALLED`], and [`LISTENING`].
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
        Self(Cells::new(region))
    }

    fn word(&self, word: Word) -> &AtomicU64 {
        self.0.word(word as usize)
    }

    /// Bytes of results that wait for company.
    fn outbox(&self) -> &[AtomicU8] {
        self.0.bytes()
    }

    // ---- the worker's side

    /// Starts the next item, unless what was sent has been taken back.
    pub(crate) fn start(&self) -> Turn {
        let cursor = self.word(Word::Cursor).fetch_add(ONE, AcqRel); // SYNC POINT: `recall`, `listen`
        match cursor & (RECALLED | LISTENING) {
            0 => Turn::Run,
            LISTENING => Turn::SendAndRun,
            _ => Turn::Drop,
        }
    }

    /// The next item is the one of this number.
    pub(crate) fn resume(&self, number: u64) {
        // a swap, for `recall` may come between: with a plain store the checker loses sight of it. The parent may listen:
        // if it doesn't, it hears of a result too early
        self.word(Word::Cursor).swap((number * ONE) | LISTENING, AcqRel);
    }

    /// Before what is finished is sent to a parent that [listens](Self::listen): it is going to hear.
    pub(crate) fn wake(&self) {
        self.word(Word::Cursor).fetch_and(!LISTENING, AcqRel);
    }

    /// An item has taken this long.
    pub(crate) fn took(&self, nanoseconds: u64) {
        // nobody else writes these
        for (word, more) in [(Word::Busy, nanoseconds), (Word::Items, 1)] {
            let word = self.word(word);
            word.store(word.load(Relaxed) + more, Relaxed);
        }
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
        self.word(Word::Length).store(0, Relaxed);
        self.word(Word::Epoch).fetch_add(1, Release); // SYNC POINT: `finished`; who sees this epoch sees no length of the last
        fence(Release); // SYNC POINT: `finished`; who sees a byte of the next frames sees that the last epoch has ended
    }

    /// What tells apart the frames that are not sent; `None` if there are none.
    pub(crate) fn unsent(&self) -> Option<(u64, u64)> {
        let length = self.word(Word::Length).load(Acquire);
        (length > 0).then(|| (self.word(Word::Epoch).load(Relaxed), length))
    }

    // ---- the parent's side

    /// Takes back all items that were not started; the first of them. `None` if that was done before, and the worker has
    /// not gone on since.
    pub(crate) fn recall(&self) -> Option<u64> {
        let cursor = self.word(Word::Cursor).fetch_or(RECALLED, AcqRel); // SYNC POINT: `start`
        (cursor & RECALLED == 0).then_some(cursor / ONE)
    }

    /// From here on the worker sends what is finished before it starts another item. Whether it did not before: then there may
    /// be [finished](Self::finished) results that wait for an item which it has started already.
    pub(crate) fn listen(&self) -> bool {
        let cursor = self.word(Word::Cursor).fetch_or(LISTENING, AcqRel); // SYNC POINT: `start`: it sees this, or we its results
        cursor & LISTENING == 0
    }

    /// How many items were started; `None` after a recall, until the worker goes on.
    pub(crate) fn started(&self) -> Option<u64> {
        let cursor = self.word(Word::Cursor).load(Acquire);
        (cursor & RECALLED == 0).then_some(cursor / ONE)
    }

    /// Whether it is at an item; after a recall that does not show.
    pub(crate) fn may_be_at_one(&self) -> bool {
        self.started().is_none_or(|started| started > self.word(Word::Items).load(Relaxed))
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
        let bytes = self.outbox()[..length.min(BYTES)].iter().map(|byte| byte.load(Relaxed)).collect();
        fence(Acquire); // SYNC POINT: `sent`
        if self.word(Word::Epoch).load(Relaxed) == epoch { bytes } else { Vec::new() }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::crew::wire::{self, Frames, Kind};
    use crate::shm::Backend;
    use std::sync::atomic::AtomicBool;
    use std::thread;

    fn page() -> Page {
        Page::new(Region::create(SIZE, Backend::Memfd).expect("a page of memory"))
    }

    fn frame(number: u64, body: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        wire::push_short(&mut out, Kind::Done, number, body);
        out
    }

    #[test]
    fn what_is_finished_shows_until_it_is_sent() {
        let page = page();
        assert_eq!(page.finished(), b"");
        assert!(page.publish(&[1, 2]) && page.publish(&[3]));
        assert_eq!((page.finished(), page.unsent()), (vec![1, 2, 3], Some((0, 3))));
        page.sent();
        assert_eq!((page.finished(), page.unsent()), (Vec::new(), None));
        assert!(page.publish(&[4]));
        assert_eq!(page.finished(), [4]);
    }

    #[test]
    fn what_does_not_fit_changes_nothing() {
        let page = page();
        assert!(!page.publish(&[0; BYTES + 1]));
        assert!(page.publish(&[1; BYTES]));
        assert!(!page.publish(&[2]) && page.publish(&[]));
        assert_eq!(page.finished(), [1; BYTES]);
        page.sent();
        assert!(page.publish(&[2]));
        assert_eq!(page.finished(), [2]);
    }

    #[test]
    fn a_recall_takes_what_was_not_started() {
        let page = page();
        assert_eq!(page.started(), Some(0));
        assert_eq!([page.start(), page.start()], [Turn::Run; 2]);
        assert_eq!((page.started(), page.recall()), (Some(2), Some(2)));
        assert_eq!((page.recall(), page.started()), (None, None), "it has not gone on since");
        assert_eq!([page.start(), page.start()], [Turn::Drop; 2]);
        page.resume(2);
        assert_eq!((page.started(), page.start()), (Some(2), Turn::SendAndRun));
        assert_eq!(page.recall(), Some(3));
    }

    #[test]
    fn who_listens_is_sent_what_is_finished_until_it_was_woken() {
        let page = page();
        assert!(page.listen() && !page.listen());
        assert_eq!([page.start(), page.start()], [Turn::SendAndRun; 2], "nobody has woken it");
        page.wake();
        assert_eq!((page.start(), page.started()), (Turn::Run, Some(3)));
        assert!(page.listen());
        assert_eq!((page.recall(), page.start()), (Some(3), Turn::Drop));
    }

    #[test]
    fn time_adds_up() {
        let page = page();
        page.took(5);
        page.took(7);
        assert_eq!(page.took_so_far(), (12, 2));
    }

    /// The worker starts items until it finds that they were taken back; the parent takes them back at any moment. `recall` and
    /// `start` change one word: one of the two is first, and both sides know which. So the number at which the worker stops
    /// is the very one from which the parent took back.
    #[test]
    fn an_item_is_started_or_taken_back() {
        const RECALLS: usize = 4000;
        let page = page();
        // stands for the socket: which of the recalls was followed by a `Resume`
        let resumed = AtomicU64::new(0);
        let (stops, recalls) = thread::scope(|scope| {
            let worker = scope.spawn(|| {
                let mut stops = Vec::new();
                let mut started = 0;
                while stops.len() < RECALLS {
                    if page.start() != Turn::Drop {
                        started += 1;
                        continue;
                    }
                    stops.push(started);
                    while resumed.load(Acquire) < stops.len() as u64 {
                        thread::yield_now();
                    }
                    page.resume(started);
                }
                stops
            });
            let mut recalls = Vec::new();
            while recalls.len() < RECALLS {
                // none while the `Resume` is on its way
                let Some(first) = page.recall() else { continue };
                assert_eq!(page.started(), None, "nothing is started after a recall");
                recalls.push(first);
                resumed.fetch_add(1, Release);
                for _ in 0..recalls.len() % 50 {
                    std::hint::spin_loop();
                }
            }
            (worker.join().expect("the worker's side"), recalls)
        });
        assert_eq!(stops, recalls);
    }

    /// The parent looks at any moment: it sees whole frames, as they were published, each number after the one before, or
    /// none. A `sent` between two of its reads must not give it the first part of one epoch and the rest of another.
    #[test]
    fn the_parent_never_sees_a_torn_frame() {
        const FRAMES: u64 = 100_000;
        let page = page();
        let over = AtomicBool::new(false);
        // the body says which number it is of, in each byte, and lengths differ: what is mixed shows
        let body = |number: u64| vec![number as u8; 1 + (number * 7919 % 601) as usize];
        let (looks, seen) = thread::scope(|scope| {
            let parent = scope.spawn(|| {
                let (mut looks, mut seen, mut newest) = (0_u64, 0_u64, 0);
                while !over.load(Acquire) {
                    looks += 1;
                    let mut frames = Frames::of(page.finished());
                    let mut before = None;
                    while let Some(frame) = frames.next().expect("a frame") {
                        assert_eq!((frame.kind, frames.body(&frame)), (Kind::Done, &*body(frame.number)));
                        assert!(before.is_none_or(|before| frame.number == before + 1), "{before:?}, {}", frame.number);
                        before = Some(frame.number);
                        seen += 1;
                    }
                    if let Some(last) = before {
                        assert!(last >= newest, "{last} after {newest}");
                        newest = last;
                    }
                }
                (looks, seen)
            });
            for number in 0..FRAMES {
                assert!(page.publish(&frame(number, &body(number))));
                if number % 3 > 0 {
                    page.sent();
                }
            }
            over.store(true, Release);
            parent.join().expect("the parent's side")
        });
        assert!(looks > 0, "{seen} frames were seen in {looks} looks");
    }
}
