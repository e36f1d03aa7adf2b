//! What a worker thread does.
use super::desk::{Cursor, Tray};
use super::flow::Flow;
use super::output::Results;
use super::stop::{self, Worker};
use crate::error::caught;
use crate::locked::Refill;
use crate::monitor::lane::{Doing, Part, Shares};
use crate::monitor::{Survey, sampling};
use crate::pipe::{Pipe, Signal, Start};
use crate::sync::{Arc, Instant, Ordering::*};
use std::time::Duration;

/// How long a chunk should take: long against the microsecond that its locks and cache lines cost, short against a wake-up.
const CHUNK: Duration = Duration::from_micros(10);

/// What a worker holds while it pulls.
#[derive(Debug)]
pub(crate) struct Hand {
    pub(crate) flow: Arc<Flow>,
    pub(crate) seat: usize,
    /// How many signals to take at once.
    pub(crate) want: usize,
    /// How many it took, or took over, the last time.
    pub(crate) loaded: usize,
    /// The credits taken, by all workers, when this one took last.
    pub(crate) taken: usize,
    pub(crate) patient: bool,
    /// Which of the signals that it takes next is measured, if anybody watches.
    pub(crate) measured: Option<usize>,
}

impl Hand {
    /// Who is told what this thread does with its time.
    pub(crate) fn shares(&self) -> Shares {
        Shares::new(self.flow.lanes[self.seat].clone(), self.flow.probe.clone())
    }
}

/// The stages above a queue. It hides their type: all but the innermost loop is compiled once for each kind of signal, and
/// below a queue types are short again, and so are errors.
pub(crate) trait Above<E>: Send + Sync {
    fn start(&mut self, start: &mut Start);
    fn survey(&self, survey: &mut Survey);
    /// How many items come, at least and at most; asked before anybody pulls.
    fn size_hint(&self) -> (usize, Option<usize>);
    /// Several threads are going to pull: where each is told that the consumer waits.
    fn share(&mut self, workers: usize, chunk: usize) -> Vec<Arc<Cursor>>;
    /// Pulls, and puts results on the tray, until nothing comes any more.
    fn work(&self, hand: &mut Hand, results: &Results<E>, tray: &mut Tray<E>);
    /// Drops what this worker has not started.
    fn clear(&self, seat: usize);
}

impl<P: Pipe<Item: Send> + Send + Sync> Above<Signal<P>> for P {
    fn start(&mut self, start: &mut Start) {
        Pipe::start(self, start);
    }

    fn survey(&self, survey: &mut Survey) {
        Pipe::survey(self, survey);
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        Pipe::size_hint(self)
    }

    fn share(&mut self, workers: usize, chunk: usize) -> Vec<Arc<Cursor>> {
        self.bottom_mut().share(workers, chunk);
        self.bottom().desks().cursors()
    }

    fn work(&self, hand: &mut Hand, results: &Results<Signal<P>>, tray: &mut Tray<Signal<P>>) {
        let mut local = P::Local::default();
        let mut shares = hand.shares();
        let mut pace = Pace::new();
        let bottom = self.bottom();
        let stop = hand.flow.stop.clone();
        let mut seat = bottom.desks().sit(hand.seat);
        // whether the consumer asked to be told of the next result
        let mut wanted = false;
        loop {
            if P::ANNOUNCES {
                hand.want = 1;
            }
            hand.measured = shares.begin(Part::Pull, hand.want);
            let refill = bottom.refill(hand, &mut seat, &|| self.announce());
            if hand.measured.is_some() {
                shares.end(Part::Pull, hand.loaded);
            }
            match refill {
                Refill::Loaded => {}
                Refill::Over => return,
                Refill::Failed(error) => return hand.flow.fail(error),
            }
            let mut started = 0;
            let measured = shares.begin(Part::Work, hand.loaded);
            loop {
                let (next, asked) = seat.next();
                wanted |= asked;
                if wanted && !tray.is_empty() {
                    wanted = false;
                    hand.flow.items.ring();
                }
                let Some((number, signal)) = next else { break };
                let is_measured = measured == Some(started);
                if is_measured {
                    sampling::begin();
                }
                started += 1;
                match self.step(&mut local, signal, number) {
                    Ok(Some(result)) => tray.put(result),
                    Ok(None) => {}
                    Err(error) => return hand.flow.fail(error),
                }
                if is_measured {
                    sampling::keep();
                }
                if stop.is_requested() {
                    return;
                }
            }
            let made = send(hand, results, tray);
            if measured.is_some() {
                shares.end(Part::Work, started);
            }
            hand.flow.credits.give_back(started - made);
            pace.adjust(hand);
        }
    }

    fn clear(&self, seat: usize) {
        self.bottom().desks().sit(seat).clear();
    }
}

/// One worker, from its first pull to its last.
pub(crate) fn run<E>(above: &dyn Above<E>, flow: Arc<Flow>, seat: usize, results: &Results<E>, mut tray: Tray<E>) {
    let lane = flow.lanes[seat].clone();
    lane.set(Doing::Work);
    stop::enlist(Worker::new(flow.stop.clone(), flow.items.clone(), lane.clone()));
    let mut hand = Hand { flow, seat, want: 1, loaded: 0, taken: 0, patient: true, measured: None };
    if let Err(panic) = caught(Some(()), || above.work(&mut hand, results, &mut tray)) {
        hand.flow.fail(panic);
    }
    send(&hand, results, &mut tray);
    // what is left is dropped, and each may panic in that
    while let Err(panic) = caught(Some(()), || above.clear(seat)) {
        hand.flow.fail(panic);
    }
    lane.set(Doing::Nothing);
    if let Some(track) = lane.track() {
        track.flush();
    }
    hand.flow.ended(1);
}

/// What lies finished, to the consumer.
fn send<E>(hand: &Hand, results: &Results<E>, tray: &mut Tray<E>) -> usize {
    let flow = &*hand.flow;
    let mut due = false;
    let made = tray.send(&results.sent, |n| {
        flow.sent.fetch_add(n, AcqRel);
        due = flow.items.is_due(hand.taken);
    });
    if due {
        flow.items.ring();
    }
    made
}

/// Chooses the size of chunks by the time that they take.
struct Pace {
    began: Instant,
}

impl Pace {
    fn new() -> Self {
        Self { began: Instant::now() }
    }

    fn adjust(&mut self, hand: &mut Hand) {
        if hand.loaded < hand.want {
            // the source or the bound, not the work, sets the pace
            hand.want = hand.loaded.max(hand.want / 2).max(1);
            return;
        }
        let now = Instant::now();
        let took = now - self.began;
        self.began = now;
        if took < CHUNK / 2 {
            hand.want = (hand.want * 2).min(hand.flow.options.chunk());
        } else if took > CHUNK * 2 {
            hand.want = (hand.want / 2).max(1);
        }
    }
}
