//! The threads that pull from above and hand items out to workers. One at a time pulls; what it pulled it encodes without
//! keeping the others, so that large items, for which that takes long, are encoded by as many.
use super::desk::Desk;
use super::feed::{Feed, Pulled};
use super::ledger::Job;
use crate::Error;
use crate::error::caught;
use crate::monitor::lane::{Doing, Part};
use crate::pool::Hand;
use crate::pool::stop::Pulling;
use crate::sync::MutexGuard;

/// A feeder takes at most so many items at once.
pub(super) const CHUNK: usize = 32;
/// How many there are. All but the first sleep while items are small.
pub(crate) const FEEDERS: usize = 2;

/// The stages above, whatever their types are.
pub(super) trait Source<G> {
    /// Pulls as many signals as are sure to come at once, at most `n` and at least one. How many of them are items, and
    /// whether there may be more. It may panic, and unwind to stop; what it pulled before is there.
    fn pull(&mut self, n: usize, hand: &mut Hand) -> (usize, Result<bool, Error>);
    /// Encodes the items of the last pull; what is none goes on to the consumer.
    fn encode(&mut self) -> (Vec<Job<G>>, Result<(), Error>);
}

/// The second one sleeps while items are small.
fn wait_for_large(feed: &Feed, hand: &Hand) {
    if !feed.helps() {
        let lane = &hand.flow.lanes[hand.seat];
        lane.set(Doing::Nothing);
        feed.sleep_until_it_helps();
        lane.set(Doing::Work);
    }
}

fn take_turn<'a>(feed: &'a Feed, hand: &Hand) -> MutexGuard<'a, Pulled> {
    feed.try_turn().unwrap_or_else(|| {
        let _pulling = Pulling::begin();
        let _waiting = hand.flow.watchers().waiting(Doing::Input);
        feed.turn()
    })
}

/// Pulls from above and hands out, until nothing comes any more.
pub(super) fn feed<G>(desk: &Desk<G>, hand: &mut Hand, source: &mut dyn Source<G>) {
    let feed = &desk.feed;
    let is_first = hand.seat == desk.options.workers;
    let mut shares = hand.shares();
    loop {
        if !is_first {
            wait_for_large(feed, hand);
        }
        let mut pulled = take_turn(feed, hand);
        // first: after a stop nobody waits for the source once more
        if hand.flow.stop.is_requested() || feed.is_over() {
            return;
        }
        hand.taken = pulled.signals;
        let free = free(desk, hand, pulled.items);
        if free == 0 {
            continue;
        }
        hand.measured = shares.begin(Part::Pull, CHUNK.min(free));
        let most = if feed.are_large() { 1 } else { CHUNK };
        let came = caught(Some((0, Ok(false))), || source.pull(free.min(most), hand));
        let (items, goes_on) = came.unwrap_or_else(|panic| (0, Err(panic)));
        pulled.signals = hand.taken;
        pulled.items += items;
        feed.has_pulled(matches!(goes_on, Ok(true)));
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
        if feed.has_handed_on() {
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
    let bound = hand.flow.credits.bound();
    // no more than one worker's part: it may be idle
    let enough = (bound / desk.options.workers.max(2)).clamp(1, CHUNK);
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
