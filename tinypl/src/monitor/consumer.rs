//! The thread that pulls a pipeline from outside: its time goes to the stages that it runs, to waiting, and to its own affairs.
use super::lane::{Doing, Lane, Part};
use super::sampling::{self, Dice, Mix, Sample, Sampled};
use super::{Ending, Probe};
use crate::pipe::{Pipe, Pulled, Watched};
use crate::sync::Arc;

/// About so many items pass between two that are measured, at most.
const MOST: u64 = 128;
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
    /// Working time at the last look, and what an item took then.
    seen: u64,
    each: u64,
    /// How many pulls there were since the last one that was measured, and how many there are to be.
    skipped: u64,
    due: u64,
    /// The sample at hand, till the next pull tells how long its item took; and for how many items it stands.
    sample: Sample,
    weight: u64,
    /// When the pull returned that was measured.
    returned: Option<u64>,
    /// Working time that was shared out.
    shared: u64,
    mix: Mix,
    dice: Dice,
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
            each: 0,
            skipped: 0,
            due: 0,
            sample: Sample::new(),
            weight: 0,
            returned: None,
            shared: 0,
            mix: Mix::default(),
            dice: Dice::new(),
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
        if self.skipped >= self.due || surprised || asked {
            self.weight = std::mem::take(&mut self.skipped) + 1;
            (self.left, self.every) = (0, 1);
            return true;
        }
        self.every = (GLANCE / self.each.max(1)).clamp(1, LOOK).min(self.due - self.skipped);
        self.left = self.every - 1;
        false
    }

    /// At the clock. Whether the items since the last look took much longer than those before.
    fn look(&mut self, now: u64) -> bool {
        let pulled = self.every - self.left;
        let took = self.lane.worked() - self.seen;
        self.seen += took;
        if pulled == 0 {
            // what was before the first pull is no stage's
            self.settle();
            return false;
        }
        let each = (took / pulled).max(1);
        if self.returned.is_none() {
            self.skipped += pulled;
        } else if took < 4 * sampling::overhead(&self.sample) {
            // that says more of the measurement than of the item
            self.settle_sample(now);
            return false;
        }
        let surprised = sampling::is_surprise(self.each, each);
        self.each = each;
        if self.returned.is_some() {
            self.settle_sample(now);
        }
        surprised
    }

    /// The item is over that was measured.
    fn settle_sample(&mut self, now: u64) {
        let wanted = (sampling::pause_after(&self.sample) / self.each.max(1)).min(MOST);
        self.due = wanted / 2 + self.dice.below(wanted as usize + 1) as u64;
        self.note_own(now);
        self.settle();
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

    /// Shares out the time since the last sample.
    fn settle(&mut self) {
        let work = self.lane.worked();
        let sample = std::mem::take(&mut self.sample);
        self.mix.settle(work - self.shared, &sample, self.weight, &self.own);
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
        self.settle();
        self.seen = self.lane.worked();
        (self.left, self.every, self.skipped, self.due) = (0, 0, 0, 0);
        self.ending.note();
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        self.rest();
        self.ending.end_views();
    }
}
