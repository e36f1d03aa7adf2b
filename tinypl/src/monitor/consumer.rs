//! The thread that pulls a pipeline from outside: its time goes to the stages that it runs, to waiting, and to its own affairs.
use super::lane::{Doing, Lane, Part};
use super::sampling::{self, Mix, Sample, Sampled, Turns};
use super::{Ending, Probe};
use crate::pipe::{Pipe, Pulled, Watched};
use crate::sync::Arc;

/// After so many items there is a look at the clock,
const LOOK: u64 = 16;
/// or after about so many nanoseconds.
const GLANCE: u64 = 12_000;

/// What a watched pipeline knows of who pulls it.
#[derive(Debug)]
pub(crate) struct Consumer {
    lane: Arc<Lane>,
    /// What it does between its pulls.
    own: Arc<Probe>,
    ending: Arc<Ending>,
    resting: bool,
    /// How many pulls are left until the next look at the clock, of how many from the last one on.
    left: u64,
    every: u64,
    /// Working time at the last look.
    seen: u64,
    turns: Turns,
    /// The sample at hand, till the next pull tells how long its item took.
    sample: Sample,
    /// When the pull returned that was measured.
    returned: Option<u64>,
    /// Working time that was shared out.
    shared: u64,
    mix: Mix,
}

impl Consumer {
    pub(crate) fn new(lane: Arc<Lane>, own: Arc<Probe>, ending: Arc<Ending>) -> Self {
        lane.turn_on();
        lane.set(Doing::Work);
        Self {
            lane,
            own,
            ending,
            resting: false,
            left: 0,
            every: 0,
            seen: 0,
            turns: Turns::new(),
            sample: Sample::new(),
            returned: None,
            shared: 0,
            mix: Mix::default(),
        }
    }

    pub(crate) fn ending(&self) -> &Ending {
        &self.ending
    }

    /// A pull. Most cost no more than to be counted down.
    pub(crate) fn pull<P: Pipe>(&mut self, pipe: &mut P) -> Pulled<P> {
        let _pulling = self.lane.pulling();
        if self.left > 0 && !sampling::is_on() && !self.lane.is_asked() {
            self.left -= 1;
            let signal = pipe.pull_by::<Watched>();
            if signal.is_none() {
                self.rest();
            }
            return signal;
        }
        self.pull_with_care(pipe)
    }

    #[cold]
    #[inline(never)]
    fn pull_with_care<P: Pipe>(&mut self, pipe: &mut P) -> Pulled<P> {
        // it may have ended before: then it still has
        let before = self.resting.then(|| self.ending.goes_on());
        let signal = if self.is_due() {
            self.measured(|| pipe.pull_by::<Watched>())
        } else {
            // a function of another pipeline's may be at it, which is measured
            let _paused = sampling::is_on().then(sampling::pause);
            pipe.pull_by::<Watched>()
        };
        if signal.is_none() {
            self.rest();
            self.ending.ended_before(before.flatten());
        }
        signal
    }

    /// Whether this pull is to be measured.
    fn is_due(&mut self) -> bool {
        let asked = self.lane.take_question();
        if self.left > 0 && !asked {
            self.left -= 1;
            return false;
        }
        self.resting = false;
        let now = self.lane.set(Doing::Work);
        let surprised = self.look(now);
        let left = self.turns.left();
        let is_due = left == 0 || surprised || asked;
        self.every = if is_due { 1 } else { (GLANCE / self.turns.each().max(1)).clamp(1, LOOK).min(left) };
        self.left = self.every - 1;
        is_due
    }

    /// At the clock. Whether the items since the last look took much longer than those before.
    fn look(&mut self, now: u64) -> bool {
        let pulled = self.every - self.left;
        let took = self.lane.worked() - self.seen;
        self.seen += took;
        if pulled == 0 {
            // what was before the first pull is no stage's
            self.settle(0);
            return false;
        }
        if self.returned.is_none() {
            return self.turns.passed(pulled, took);
        }
        self.note_own(now);
        let (others, surprised) = self.turns.measured(&self.sample, pulled, took);
        self.settle(others);
        surprised
    }

    /// After a pull that was measured: what was done with its item, up to now.
    fn note_own(&mut self, now: u64) {
        if let Some(returned) = self.returned.take() {
            let own = now.saturating_sub(returned);
            self.sample.push(Sampled { probe: self.own.clone(), began: returned, ended: now, own });
            if let Some(track) = self.lane.track() {
                track.called(&self.sample[self.sample.len() - 1..]);
            }
        }
    }

    fn measured<T>(&mut self, pull: impl FnOnce() -> T) -> T {
        let began = self.lane.since();
        let measurement = sampling::measure();
        let pulled = pull();
        let (sample, cut) = measurement.taken();
        let returned = self.lane.set(Doing::Work);
        self.sample = sample;
        if cut {
            self.stretch(self.lane.worked() - self.seen);
        }
        self.returned = Some(returned);
        if let Some(track) = self.lane.track() {
            track.did(Part::Work, 1, began, returned, &self.sample);
        }
        pulled
    }

    /// The sample shows the beginning of a pull that took so long.
    fn stretch(&mut self, whole: u64) {
        let sum: u64 = self.sample.iter().map(|call| call.own).sum();
        for call in &mut self.sample {
            call.own = (u128::from(call.own) * u128::from(whole) / u128::from(sum.max(1))) as u64;
        }
    }

    /// Shares out the time since the last sample; the one at hand stands for so many other items.
    fn settle(&mut self, others: u64) {
        let work = self.lane.worked();
        let sample = std::mem::take(&mut self.sample);
        self.mix.settle(work - self.shared, &sample, others, &self.own);
        self.shared = work;
    }

    /// Nobody pulls any more, for now.
    pub(crate) fn rest(&mut self) {
        if std::mem::replace(&mut self.resting, true) {
            return;
        }
        let now = self.lane.set(Doing::Nothing);
        self.note_own(now);
        if let Some(track) = self.lane.track() {
            track.flush();
        }
        self.settle(0);
        self.seen = self.lane.worked();
        (self.left, self.every) = (0, 0);
        self.ending.note();
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        self.rest();
        self.ending.end_views();
    }
}
