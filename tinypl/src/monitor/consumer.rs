//! The thread that pulls a pipeline from outside: its time goes to the stages that it runs, to waiting, and to its own affairs.
use super::lane::{self, Doing, Lane, Part};
use super::sampling::{self, Dice, Mix, Sample, Sampled};
use super::{Ending, Probe};
use crate::sync::Arc;

/// At most so many items pass between two that are measured.
const MOST: u64 = 15;
/// An interval whose items took so many times longer than the last ones is not shared out as those were.
const SURPRISE: u64 = 4;

/// What a watched pipeline knows of who pulls it.
#[derive(Debug)]
pub(crate) struct Consumer {
    lane: Arc<Lane>,
    /// The same, to be lent.
    lent: Option<Arc<Lane>>,
    /// What it does between its pulls.
    own: Arc<Probe>,
    ending: Arc<Ending>,
    /// Working time that was shared out.
    shared: u64,
    mix: Mix,
    /// The sample at hand, till the next pull tells how long its item took.
    sample: Sample,
    /// When the pull returned that was measured.
    returned: Option<u64>,
    /// When the last measured pull began; 0 while nobody pulls.
    measured: u64,
    /// How many pulls are not measured, and how many of them are left.
    skip: u64,
    left: u64,
    /// Working time when the last measured pull began.
    begun: u64,
    /// What an item took in the last interval.
    each: u64,
    dice: Dice,
}

impl Consumer {
    pub(crate) fn new(lane: Arc<Lane>, own: Arc<Probe>, ending: Arc<Ending>) -> Self {
        lane.turn_on();
        let measured = lane::now();
        lane.set(Doing::Work);
        let (mix, sample, dice) = (Mix::default(), Sample::new(), Dice::new());
        Self {
            lane,
            lent: None,
            own,
            ending,
            shared: 0,
            mix,
            sample,
            returned: None,
            measured,
            skip: 0,
            left: 0,
            begun: 0,
            each: 0,
            dice,
        }
    }

    pub(crate) fn ending(&self) -> &Ending {
        &self.ending
    }

    /// A pull, which gives nothing at the end.
    pub(crate) fn pull<T>(&mut self, pull: impl FnOnce() -> Option<T>) -> Option<T> {
        let entered = lane::enter(self.lent.take().unwrap_or_else(|| self.lane.clone()));
        // it may have ended before: then it still has
        let before = (self.measured == 0).then(|| self.ending.goes_on());
        let pulled = if self.is_due() {
            self.measured(pull)
        } else {
            // a function of another pipeline's may be at it, which is measured
            let _paused = sampling::is_on().then(sampling::pause);
            pull()
        };
        if pulled.is_none() {
            self.rest();
            self.ending.ended_before(before.flatten());
        }
        self.lent = entered.leave();
        pulled
    }

    /// Whether this pull is to be measured.
    fn is_due(&mut self) -> bool {
        if self.returned.is_some() || self.left == 0 {
            let now = self.lane.set(Doing::Work);
            self.note_own(now);
        }
        if self.left > 0 {
            self.left -= 1;
            return false;
        }
        true
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

    #[cold]
    fn measured<T>(&mut self, pull: impl FnOnce() -> T) -> T {
        let now = lane::now();
        self.pace(now);
        let measurement = sampling::measure();
        let pulled = pull();
        let (sample, cut) = measurement.taken();
        let returned = self.lane.set(Doing::Work);
        self.sample = sample;
        if cut {
            self.stretch(self.lane.worked() - self.begun);
        }
        self.returned = Some(returned);
        if let Some(track) = self.lane.track() {
            track.did(Part::Work, 1, now, returned, &self.sample);
        }
        pulled
    }

    /// Shares out the time since the last sample, and chooses how many pulls to leave out.
    fn pace(&mut self, now: u64) {
        let work = self.lane.worked();
        let each = ((work - self.begun) / (self.skip + 1)).max(1);
        self.begun = work;
        self.measured = now;
        if self.each > 0 && each > SURPRISE * self.each {
            // who took it so long? The next sample will say
            self.mix.clear();
            self.sample.clear();
            (self.skip, self.left, self.each) = (0, 0, each);
            return;
        }
        let wanted = (sampling::cost(&self.sample) / each).min(MOST);
        self.settle();
        self.skip = wanted / 2 + self.dice.below(wanted as usize + 1) as u64;
        (self.left, self.each) = (self.skip, each);
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
        self.mix.add(&std::mem::take(&mut self.sample), self.skip as usize + 1);
        self.mix.share(work - self.shared, &self.own);
        self.shared = work;
    }

    /// Nobody pulls any more, for now.
    pub(crate) fn rest(&mut self) {
        if self.measured == 0 {
            return;
        }
        let now = self.lane.set(Doing::Nothing);
        self.note_own(now);
        if let Some(track) = self.lane.track() {
            track.flush();
        }
        self.settle();
        (self.left, self.measured) = (0, 0);
        self.ending.note();
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        self.rest();
        self.ending.end_views();
    }
}
