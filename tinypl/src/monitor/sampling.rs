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
const RARELY: u64 = 100;
/// What it costs to measure one call, in nanoseconds.
const CALL: u64 = 60;

/// How long to wait after this sample before the next.
pub(crate) fn cost(sample: &Sample) -> u64 {
    (sample.len() as u64 + 1) * CALL * RARELY
}

/// A call that has not returned.
struct Call {
    began: u64,
    /// What the calls inside it took.
    inner: u64,
}

thread_local! {
    static WATCHED: Cell<bool> = const { Cell::new(false) };
    static ON: Cell<bool> = const { Cell::new(false) };
    static CALLS: RefCell<Vec<Call>> = const { RefCell::new(Vec::new()) };
    static SAMPLE: RefCell<Sample> = const { RefCell::new(Vec::new()) };
}

/// Whether the calls of this thread are measured at this moment.
#[inline]
pub(crate) fn is_on() -> bool {
    ON.get()
}

/// From here on they are, or no longer.
pub(crate) fn turn(on: bool) {
    ON.set(on);
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
pub(crate) fn enter() -> bool {
    ON.get() && {
        CALLS.with_borrow_mut(|calls| calls.push(Call { began: now(), inner: 0 }));
        true
    }
}

/// The call has returned; without a probe nobody wants to know.
#[cold]
pub(crate) fn leave(probe: Option<&Probe>) {
    let ended = now();
    CALLS.with_borrow_mut(|calls| {
        let Some(call) = calls.pop() else { return };
        let whole = ended.saturating_sub(call.began);
        if let Some(outer) = calls.last_mut() {
            outer.inner += whole;
        }
        if let Some(probe) = probe.and_then(Probe::myself) {
            let own = whole.saturating_sub(call.inner);
            SAMPLE.with_borrow_mut(|sample| sample.push(Sampled { probe, began: call.began, ended, own }));
        }
    });
}

/// A wait inside the calls at hand: it is nobody's work.
pub(crate) fn waited(nanoseconds: u64) {
    CALLS.with_borrow_mut(|calls| {
        if let Some(call) = calls.last_mut() {
            call.inner += nanoseconds;
        }
    });
}

/// What was measured since the last time.
pub(crate) fn taken() -> Sample {
    SAMPLE.take()
}

/// How items use a thread's time, as the last samples say.
#[derive(Debug, Default)]
pub(crate) struct Mix(Vec<(Arc<Probe>, u64)>);

impl Mix {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A sample that stands for so many items.
    pub(crate) fn add(&mut self, sample: &Sample, items: usize) {
        for call in sample {
            let own = call.own * items.max(1) as u64;
            match self.0.iter_mut().find(|(probe, _)| Arc::ptr_eq(probe, &call.probe)) {
                Some((_, all)) => *all += own,
                None => self.0.push((call.probe.clone(), own)),
            }
        }
    }

    /// Shares out a time in proportion, and begins to forget.
    pub(crate) fn share(&mut self, time: u64, rest: &Probe) {
        let sum: u64 = self.0.iter().map(|(_, own)| own).sum();
        if sum == 0 {
            return rest.was_busy(time);
        }
        for (probe, own) in &mut self.0 {
            probe.was_busy((u128::from(time) * u128::from(*own) / u128::from(sum)) as u64);
            *own -= *own / 4;
        }
    }
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
