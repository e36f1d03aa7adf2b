//! Whether every item that was made is dropped, once.
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

/// Counts its things.
#[derive(Clone, Debug, Default)]
pub struct Tally(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    made: AtomicUsize,
    dropped: AtomicUsize,
}

impl Tally {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes thing number `n`.
    pub fn thing(&self, n: u64) -> Thing {
        self.0.made.fetch_add(1, SeqCst);
        Thing { n, tally: self.clone() }
    }

    /// Things `0, 1, 2, …` without end.
    pub fn things(&self) -> impl Iterator<Item = Thing> + Send + use<> {
        let tally = self.clone();
        (0..).map(move |n| tally.thing(n))
    }

    /// How many were made, and how many of them dropped.
    pub fn counts(&self) -> (usize, usize) {
        (self.0.made.load(SeqCst), self.0.dropped.load(SeqCst))
    }

    /// # Panics
    /// Unless all that were made have been dropped, each once.
    #[track_caller]
    pub fn assert_all_dropped(&self) {
        let (made, dropped) = self.counts();
        assert_eq!(made, dropped, "items made, items dropped");
    }
}

/// An item that says when it is dropped.
#[derive(Debug)]
pub struct Thing {
    /// Its number.
    pub n: u64,
    tally: Tally,
}

impl Drop for Thing {
    fn drop(&mut self) {
        self.tally.0.dropped.fetch_add(1, SeqCst);
    }
}
