//! Which stage takes how much of a thread's time. To take the time around each call would cost as much as a cheap call
//! itself; so one item is measured now and then, and what the thread needed for all of them is shared out as that one was.
use super::Probe;
use super::lane::now;
use crate::sync::Arc;
use std::cell::{Cell, RefCell};

/// The calls of one item.
pub(crate) type Sample = Vec<Sampled>;

/// A call that has returned. Moments are nanoseconds, as of [`now`].
#[derive(Debug)]
#[cfg_attr(not(feature = "trace"), expect(dead_code, reason = "when it was is for timelines"))]
pub(crate) struct Sampled {
    pub(crate) probe: Arc<Probe>,
    pub(crate) began: u64,
    pub(crate) ended: u64,
    /// What it took beside the calls inside it.
    pub(crate) own: u64,
}

/// A sample costs one part in so many of a thread's time.
const RARELY: u64 = 300;
/// What it costs to measure one call, in nanoseconds: two looks at the clock, and to note them.
const CALL: u64 = 150;

/// What it has cost to take this sample.
pub(crate) fn overhead(sample: &Sample) -> u64 {
    (sample.len() as u64 + 1) * CALL
}

/// At most about so many items pass between two that are measured.
const MOST: u64 = 1024;
/// If items take so many times longer than those before, it is time to measure one: who takes it so long?
const SURPRISE: u64 = 4;

/// Whose turn it is to be measured. Items are counted, and how many is thrown with dice, so that each has the same chance: a
/// pause by the clock would end in a slow item, and be over when the next one comes.
#[derive(Debug)]
pub(crate) struct Turns {
    /// How many items have passed since the last one that was measured, and how many are to.
    skipped: u64,
    due: u64,
    /// What an item took the last time.
    each: u64,
    /// What the last items took, and how many there were; what is long ago counts less.
    took: u64,
    items: u64,
    dice: Dice,
}

impl Turns {
    pub(crate) fn new() -> Self {
        Self { skipped: 0, due: 0, each: 0, took: 0, items: 0, dice: Dice::new() }
    }

    /// How many items are left until one is to be measured.
    pub(crate) fn left(&self) -> u64 {
        self.due.saturating_sub(self.skipped)
    }

    /// What an item took the last time.
    pub(crate) fn each(&self) -> u64 {
        self.each
    }

    /// Items have passed. Whether it is odd that they took so long.
    pub(crate) fn passed(&mut self, items: u64, took: u64) -> bool {
        self.skipped += items;
        self.note(items, took)
    }

    fn note(&mut self, items: u64, took: u64) -> bool {
        self.took += took;
        self.items += items;
        let each = (took / items.max(1)).max(1);
        let before = std::mem::replace(&mut self.each, each);
        before > 0 && each > SURPRISE * before
    }

    /// One of these items was measured. For how many others the sample stands; and whether it is odd that they took so long.
    pub(crate) fn measured(&mut self, sample: &Sample, items: u64, took: u64) -> (u64, bool) {
        let overhead = overhead(sample);
        // less says more of the measurement than of the item
        let odd = (took > 4 * overhead || self.items == 0) && self.note(items, took.saturating_sub(overhead));
        let wanted = (overhead * RARELY).saturating_mul(self.items) / self.took.max(1);
        let wanted = wanted.min(MOST);
        self.due = wanted / 2 + self.dice.below(wanted as usize + 1) as u64;
        self.took -= self.took / 8;
        self.items -= self.items / 8;
        (std::mem::take(&mut self.skipped) + items.saturating_sub(1), odd)
    }

    /// One of so many items.
    pub(crate) fn throw(&mut self, items: usize) -> usize {
        self.dice.below(items)
    }
}

/// Of a measurement that goes on and on the beginning is enough.
const CALLS: usize = 256;

/// A call that has not returned.
#[derive(Debug)]
struct Call {
    probe: Option<Arc<Probe>>,
    began: u64,
    /// What the calls inside it took.
    inner: u64,
}

/// What is measured at this moment.
#[derive(Debug, Default)]
struct State {
    calls: Vec<Call>,
    sample: Sample,
    /// There were so many calls that the rest was not measured.
    cut: bool,
}

impl State {
    /// The innermost call has returned.
    fn pop(&mut self, ended: u64) {
        let Some(call) = self.calls.pop() else { return };
        let whole = ended.saturating_sub(call.began);
        if let Some(outer) = self.calls.last_mut() {
            outer.inner += whole;
        }
        if let Some(probe) = call.probe {
            self.sample.push(Sampled { probe, began: call.began, ended, own: whole.saturating_sub(call.inner) });
        }
    }
}

thread_local! {
    static WATCHED: Cell<bool> = const { Cell::new(false) };
    static ON: Cell<bool> = const { Cell::new(false) };
    static STATE: RefCell<State> = const { RefCell::new(State { calls: Vec::new(), sample: Vec::new(), cut: false }) };
    static KEPT: RefCell<Sample> = const { RefCell::new(Vec::new()) };
}

/// Whether the calls of this thread are measured at this moment.
#[inline]
pub(crate) fn is_on() -> bool {
    ON.get()
}

/// Until it ends, in a panic too, the calls of this thread are measured. One that was under way before goes on afterwards.
#[derive(Debug)]
pub(crate) struct Measurement {
    outer: State,
    on: bool,
}

pub(crate) fn measure() -> Measurement {
    Measurement { outer: STATE.take(), on: ON.replace(true) }
}

impl Measurement {
    /// What was measured; and whether that was only the beginning.
    pub(crate) fn taken(self) -> (Sample, bool) {
        STATE.with_borrow_mut(|state| (std::mem::take(&mut state.sample), state.cut))
    }
}

impl Drop for Measurement {
    fn drop(&mut self) {
        STATE.set(std::mem::take(&mut self.outer));
        ON.set(self.on);
    }
}

/// Until it is dropped nothing is measured.
#[derive(Debug)]
pub(crate) struct Paused;

pub(crate) fn pause() -> Paused {
    ON.set(false);
    Paused
}

impl Drop for Paused {
    fn drop(&mut self) {
        ON.set(true);
    }
}

/// On a worker thread, where nothing is measured around it, and which ends with a panic: measures until [`keep`].
#[cold]
pub(crate) fn begin() {
    STATE.take();
    ON.set(true);
}

/// Leaves what was measured for [`kept`].
#[cold]
pub(crate) fn keep() {
    ON.set(false);
    KEPT.set(STATE.take().sample);
}

/// What a measurement left.
pub(crate) fn kept() -> Sample {
    KEPT.take()
}

/// Until it is dropped, stages that are not of this crate pull as whoever is watched.
#[derive(Debug)]
pub(crate) struct Watch(bool);

pub(crate) fn watch() -> Watch {
    Watch(WATCHED.replace(true))
}

impl Drop for Watch {
    fn drop(&mut self) {
        WATCHED.set(self.0);
    }
}

#[inline]
pub(crate) fn is_watched() -> bool {
    WATCHED.get()
}

/// A call begins. Whether it is measured.
#[cold]
pub(crate) fn enter(probe: &Probe) -> bool {
    ON.get() && {
        let call = Call { probe: probe.myself(), began: now(), inner: 0 };
        STATE.with_borrow_mut(|state| state.calls.push(call));
        true
    }
}

/// The call has returned, or was left by a panic.
#[cold]
pub(crate) fn leave() {
    let ended = now();
    STATE.with_borrow_mut(|state| {
        state.pop(ended);
        if state.sample.len() >= CALLS && ON.get() {
            ON.set(false);
            state.cut = true;
            while !state.calls.is_empty() {
                state.pop(ended);
            }
        }
    });
}

/// A wait inside the calls at hand: it is nobody's work.
pub(crate) fn waited(nanoseconds: u64) {
    STATE.with_borrow_mut(|state| {
        if let Some(call) = state.calls.last_mut() {
            call.inner += nanoseconds;
        }
    });
}

/// How items use a thread's time, as the last samples say.
#[derive(Debug, Default)]
pub(crate) struct Mix(Vec<(Arc<Probe>, u64)>);

/// About so many samples are remembered: enough that a rare item which takes long has its part.
const MEMORY: u64 = 1024;

impl Mix {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Shares out a time. The calls of a sample get what they took; what is left is of items like those that were measured. The
    /// sample stands for so many that were not.
    pub(crate) fn settle(&mut self, time: u64, sample: &Sample, items: u64, rest: &Probe) {
        // the first one is better than none
        self.add(sample, items.max(u64::from(self.is_empty())));
        let own: u64 = sample.iter().map(|call| call.own).sum();
        let known = own.min(time);
        for call in sample {
            call.probe.was_busy(part(known, call.own, own));
        }
        self.share(time - known, rest);
    }

    fn add(&mut self, sample: &Sample, items: u64) {
        if items == 0 || sample.is_empty() {
            return;
        }
        self.0.iter_mut().for_each(|(_, own)| *own -= *own / MEMORY);
        for call in sample {
            let own = call.own * items;
            match self.0.iter_mut().find(|(probe, _)| Arc::ptr_eq(probe, &call.probe)) {
                Some((_, all)) => *all += own,
                None => self.0.push((call.probe.clone(), own)),
            }
        }
    }

    /// Shares out a time in proportion.
    pub(crate) fn share(&self, time: u64, rest: &Probe) {
        let sum: u64 = self.0.iter().map(|(_, own)| own).sum();
        if sum == 0 {
            return rest.was_busy(time);
        }
        for (probe, own) in &self.0 {
            probe.was_busy(part(time, *own, sum));
        }
    }
}

/// Of a time, what falls to `own` of `all`.
fn part(time: u64, own: u64, all: u64) -> u64 {
    (u128::from(time) * u128::from(own) / u128::from(all.max(1))) as u64
}

/// Numbers that keep no step with anything in the items. (A linear congruential generator: W. H. Press et al., "Numerical
/// Recipes", 7.1.)
#[derive(Debug)]
pub(crate) struct Dice(u32);

impl Dice {
    pub(crate) fn new() -> Self {
        Self(1)
    }

    /// One of so many numbers.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) as usize % n.max(1)
    }
}
