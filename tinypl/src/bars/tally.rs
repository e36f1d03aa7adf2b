//! What a bar counts.
use super::screen;
use crate::sync::{Arc, AtomicU64, Instant, Mutex, Ordering::*};
use crossbeam_utils::CachePadded;
use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

/// One bar: its label, and how many items have passed.
#[derive(Debug)]
pub(crate) struct Bar {
    label: String,
    tally: Mutex<Tally>,
    /// When the first item was asked for.
    began: OnceLock<Instant>,
}

#[derive(Debug, Default)]
struct Tally {
    /// How many items are expected, if that is known.
    len: Option<u64>,
    /// What was counted by those who count no more.
    done: u64,
    /// One for each puller, who alone writes it: counting costs no cache line that others want.
    counting: Vec<Arc<CachePadded<AtomicU64>>>,
}

impl Bar {
    pub(crate) fn new(label: &str) -> Self {
        // what moves the cursor would tear the lines
        let label = label.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        Self { label, tally: Mutex::new(Tally::default()), began: OnceLock::new() }
    }

    pub(crate) fn label(&self) -> &str {
        &self.label
    }

    pub(crate) fn position(&self) -> u64 {
        let tally = self.tally.lock();
        tally.done + tally.counting.iter().map(|n| n.load(Relaxed)).sum::<u64>()
    }

    /// How many items are expected; `None` too once there were more.
    pub(crate) fn len(&self) -> Option<u64> {
        let position = self.position();
        self.tally.lock().len.filter(|&len| position <= len)
    }

    pub(crate) fn set_len(&self, len: u64) {
        self.tally.lock().len = Some(len);
    }

    /// As [`set_len`](Self::set_len), unless that was said, or it is too late to say.
    pub(crate) fn expect(&self, len: u64) {
        if self.began.get().is_none() {
            self.tally.lock().len.get_or_insert(len);
        }
    }

    pub(crate) fn is_counting(&self) -> bool {
        !self.tally.lock().counting.is_empty()
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.began.get().map_or(Duration::ZERO, Instant::elapsed)
    }
}

/// One puller's part of a bar. With the first the bar appears, with the last it is over.
pub(crate) struct Count {
    bar: Arc<Bar>,
    n: Arc<CachePadded<AtomicU64>>,
}

impl Count {
    pub(crate) fn new(bar: &Arc<Bar>) -> Self {
        let n = Arc::new(CachePadded::new(AtomicU64::new(0)));
        bar.began.get_or_init(Instant::now);
        bar.tally.lock().counting.push(n.clone());
        screen::show(bar);
        Self { bar: bar.clone(), n }
    }

    #[inline]
    pub(crate) fn add_one(&self) {
        // no read-modify-write: nobody else writes it
        self.n.store(self.n.load(Relaxed) + 1, Relaxed);
    }

    /// Takes the count out of the tally. Whether it was the last.
    fn close(&self) -> bool {
        let mut tally = self.bar.tally.lock();
        tally.counting.retain(|n| !Arc::ptr_eq(n, &self.n));
        tally.done += self.n.load(Relaxed);
        tally.counting.is_empty()
    }
}

impl Drop for Count {
    fn drop(&mut self) {
        if self.close() {
            screen::retire(&self.bar);
        }
    }
}

impl fmt::Debug for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Count").field(&self.n).finish()
    }
}
