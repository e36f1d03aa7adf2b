//! The threads that pull from above and hand items out to workers. One at a time pulls; what it pulled it encodes without
//! keeping the others, so that large items, for which that takes long, are encoded by as many.
use super::desk::Desk;
use super::ledger::Job;
use crate::Error;
use crate::error::caught;
use crate::monitor::lane::{Doing, Part};
use crate::pool::stop::{self, Pulling};
use crate::pool::{Bell, Credits, Hand};
use parking_lot::{Mutex, MutexGuard};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::*};

/// A feeder takes at most so many items at once.
pub(super) const CHUNK: usize = 32;
/// How many there are. All but the first sleep while items are small.
pub(crate) const FEEDERS: usize = 2;
/// From so many bytes on an item is large: to encode it takes longer than to wake a thread.
const LARGE: usize = 64 << 10;

/// The stages above, whatever their types are.
pub(super) trait Source<G> {
    /// Pulls as many signals as are sure to come at once, at most `n` and at least one. How many of them are items, and
    /// whether there may be more. It may panic, and unwind to stop; what it pulled before is there.
    fn pull(&mut self, n: usize, hand: &mut Hand) -> (usize, Result<bool, Error>);
    /// Encodes the items of the last pull; what is none goes on to the consumer.
    fn encode(&mut self) -> (Vec<Job<G>>, Result<(), Error>);
}

/// What the feeders of a stage share.
#[derive(Debug)]
pub(super) struct Feed {
    /// How many items may be unfinished; `None` if what is under way is bound enough.
    pub(super) input: Option<Credits>,
    /// Held by who pulls.
    pulled: Mutex<Pulled>,
    /// Who may still have something for the ledger: the source, until it ends, and each feeder who has pulled. (Whoever pulls the
    /// end is the source's heir. Who fails stays among them: that is no end.)
    owing: AtomicUsize,
    /// Nothing comes any more.
    over: AtomicBool,
    large: AtomicBool,
    /// Where feeders sleep that are not needed.
    helpers: Arc<Bell>,
}

#[derive(Debug, Default)]
struct Pulled {
    /// Signals, and those of them that are items: markers don't go to the workers.
    signals: usize,
    items: usize,
}

impl Feed {
    pub(super) fn new(input: Option<Credits>) -> Self {
        Self {
            input,
            pulled: Mutex::default(),
            owing: AtomicUsize::new(1),
            over: AtomicBool::new(false),
            large: AtomicBool::new(false),
            helpers: Bell::new(),
        }
    }

    /// Sleeps while items are small.
    fn wait_for_large(&self, hand: &Hand) {
        let is_called = || self.large.load(Acquire) || self.over.load(Acquire);
        if !is_called() {
            let lane = &hand.flow.lanes[hand.seat];
            lane.set(Doing::Nothing);
            let _pulling = Pulling::begin();
            while !is_called() && !stop::requested() {
                self.helpers.sleep(0, None, || is_called() || stop::requested());
            }
            lane.set(Doing::Work);
        }
    }

    fn take_turn(&self, hand: &Hand) -> MutexGuard<'_, Pulled> {
        self.pulled.try_lock().unwrap_or_else(|| {
            let _pulling = Pulling::begin();
            let _waiting = hand.flow.watchers().waiting(Doing::Input);
            self.pulled.lock()
        })
    }

    fn set_over(&self) {
        self.over.store(true, Release);
        self.helpers.ring();
    }

    /// So large was the last item.
    fn note_size(&self, bytes: usize) {
        let large = bytes >= LARGE;
        if self.large.swap(large, AcqRel) != large && large {
            self.helpers.ring();
        }
    }
}

/// Pulls from above and hands out, until nothing comes any more.
pub(super) fn feed<G>(desk: &Desk<G>, hand: &mut Hand, source: &mut dyn Source<G>) {
    let feed = &desk.feed;
    let is_first = hand.seat == desk.options.workers;
    let mut shares = hand.shares();
    loop {
        if !is_first {
            feed.wait_for_large(hand);
        }
        let mut pulled = feed.take_turn(hand);
        // first: after a stop nobody waits for the source once more
        if hand.flow.stop.is_requested() || feed.over.load(Acquire) {
            return;
        }
        hand.taken = pulled.signals;
        let free = free(desk, hand, pulled.items);
        if free == 0 {
            continue;
        }
        hand.measured = shares.begin(Part::Pull, CHUNK.min(free));
        let most = if feed.large.load(Relaxed) { 1 } else { CHUNK };
        let came = caught(Some((0, Ok(false))), || source.pull(free.min(most), hand));
        let (items, goes_on) = came.unwrap_or_else(|panic| (0, Err(panic)));
        pulled.signals = hand.taken;
        pulled.items += items;
        if matches!(goes_on, Ok(true)) {
            feed.owing.fetch_add(1, AcqRel);
        } else {
            feed.set_over();
        }
        drop(pulled);
        if hand.measured.is_some() {
            shares.end(Part::Pull, items);
        }
        let measured = shares.begin(Part::Work, items);
        let (jobs, encoded) = source.encode();
        if let Some(job) = jobs.last() {
            feed.note_size(job.body.len());
        }
        desk.ledger.lock().add(jobs);
        desk.hand_out();
        if measured.is_some() {
            shares.end(Part::Work, items);
        }
        if let Err(error) = encoded.and(goes_on) {
            return hand.flow.fail(error);
        }
        if feed.owing.fetch_sub(1, AcqRel) == 1 {
            desk.ledger.lock().over = true;
            desk.end_if_done();
        }
    }
}

/// How many signals may be taken; 0 after a wait, and when the stage is to end.
fn free<G>(desk: &Desk<G>, hand: &mut Hand, items: usize) -> usize {
    let input = &desk.feed.input;
    let room = input.as_ref().map_or(usize::MAX, |input| input.free(items));
    // cheap items are worth waiting for company; but not for so much that the consumer, who may nap till half of the bound is
    // finished (`Flow::much`), would wait for us in turn
    let (chunk, waiting) = desk.ledger.lock().demand();
    let enough = (hand.flow.credits.bound() / 2).min(CHUNK);
    let enough = if waiting { enough } else { enough.min(2 * chunk) };
    if (chunk > 1 || waiting) && hand.flow.credits.free(hand.taken) < enough {
        let _pulling = Pulling::begin();
        hand.flow.credits.nap(hand.taken, enough);
    }
    let free = hand.flow.credits.free(hand.taken).min(room);
    if free == 0 {
        let _pulling = Pulling::begin();
        match input {
            Some(input) if room == 0 => input.wait(items, &mut hand.patient),
            _ => hand.flow.credits.wait(hand.taken, &mut hand.patient),
        }
    }
    free
}
