//! The thread that pulls from above and hands items out to workers.
use super::desk::Desk;
use super::ledger::Job;
use crate::Error;
use crate::monitor::lane::Part;
use crate::pool::Hand;
use crate::pool::stop::Pulling;

/// It takes at most so many items at once.
pub(super) const CHUNK: usize = 32;

/// What a pull gives: the items, encoded, and whether there may be more.
pub(super) type Pulled<G> = (Vec<Job<G>>, Result<bool, Error>);

/// Pulls from above, at most so many at once, and hands out, until nothing comes any more.
pub(super) fn feed<G>(desk: &Desk<G>, hand: &mut Hand, pull: &mut dyn FnMut(usize, &mut Hand) -> Pulled<G>) {
    // how many items were taken: markers don't go to the workers
    let mut items = 0;
    let mut shares = hand.shares();
    while !hand.flow.stop.is_requested() {
        let room = desk.input.as_ref().map_or(usize::MAX, |input| input.free(items));
        // cheap items are worth waiting for company; but not for so much that the consumer, who may nap till three quarters
        // of the bound are finished, would wait for us in turn
        let (chunk, waiting) = desk.ledger.lock().demand();
        let enough = (hand.flow.credits.bound() / 4).min(CHUNK);
        let enough = if waiting { enough } else { enough.min(2 * chunk) };
        if (chunk > 1 || waiting) && hand.flow.credits.free(hand.taken) < enough {
            let _pulling = Pulling::begin();
            hand.flow.credits.nap(hand.taken, enough);
        }
        let free = hand.flow.credits.free(hand.taken).min(room);
        if free == 0 {
            let _pulling = Pulling::begin();
            match &desk.input {
                Some(input) if room == 0 => input.wait(items, &mut hand.patient),
                _ => hand.flow.credits.wait(hand.taken, &mut hand.patient),
            }
            continue;
        }
        hand.measured = shares.begin(Part::Pull, CHUNK.min(free));
        let (jobs, goes_on) = pull(free, hand);
        if hand.measured.is_some() {
            shares.end(Part::Pull, jobs.len());
        }
        items += jobs.len();
        desk.ledger.lock().add(jobs);
        desk.hand_out();
        match goes_on {
            Ok(true) => {}
            Ok(false) => {
                desk.ledger.lock().over = true;
                return desk.end_if_done();
            }
            Err(error) => return hand.flow.fail(error),
        }
    }
}
