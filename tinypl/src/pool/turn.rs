//! A lock that threads which are to stop don't wait for: its holder may be asleep in a stage that others share.
use super::bell::Bell;
use super::stop;
use crate::sync::{Arc, AtomicBool, Ordering::*};

#[derive(Debug)]
pub(crate) struct Turn {
    taken: AtomicBool,
    bell: Arc<Bell>,
}

/// Ends the turn when it is dropped.
#[derive(Debug)]
pub(crate) struct InTurn<'a>(&'a Turn);

impl Turn {
    pub(crate) fn new() -> Self {
        Self { taken: AtomicBool::new(false), bell: Bell::new() }
    }

    /// Waits for this thread's turn; `None` if it is to stop.
    pub(crate) fn wait(&self) -> Option<InTurn<'_>> {
        loop {
            if !self.taken.swap(true, AcqRel) {
                return Some(InTurn(self));
            }
            if stop::requested() {
                return None;
            }
            stop::ring_downstream();
            self.bell.sleep(0, None, || !self.taken.load(Acquire));
        }
    }
}

impl Drop for InTurn<'_> {
    fn drop(&mut self) {
        self.0.taken.store(false, Release);
        self.0.bell.reached(usize::MAX - 1);
    }
}
