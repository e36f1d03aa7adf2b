//! The figures of one stage.
use super::sampling;
use crate::post::Post;
use crate::sync::Arc;
use crossbeam_utils::CachePadded;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{OnceLock, Weak};
use std::time::Duration;

/// What is known of a stage while it runs. Nothing is decided by it, so no order of its accesses matters.
#[derive(Debug)]
pub(crate) struct Probe {
    myself: Weak<Self>,
    id: u64,
    on: AtomicBool,
    items: AtomicU64,
    /// What each of several pullers was given beside those. One count would go from worker to worker with each chunk.
    pullers: OnceLock<Box<[CachePadded<AtomicU64>]>>,
    busy: AtomicU64,
}

impl Probe {
    pub(crate) fn new() -> Arc<Self> {
        static IDS: AtomicU64 = AtomicU64::new(0);
        let id = IDS.fetch_add(1, Relaxed);
        Arc::new_cyclic(|myself| Self {
            myself: myself.clone(),
            id,
            on: AtomicBool::new(false),
            items: AtomicU64::new(0),
            pullers: OnceLock::new(),
            busy: AtomicU64::new(0),
        })
    }

    pub(crate) fn myself(&self) -> Option<Arc<Self>> {
        self.myself.upgrade()
    }

    /// No other stage of this process has it.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// Whether its time is to be measured.
    #[inline(always)]
    pub(crate) fn is_on(&self) -> bool {
        self.on.load(Relaxed)
    }

    pub(crate) fn turn_on(&self) {
        self.on.store(true, Relaxed);
    }

    /// It has given so many items, in all.
    #[inline(always)]
    pub(crate) fn has_given(&self, items: u64) {
        self.items.store(items, Relaxed);
    }

    /// So many more.
    pub(crate) fn gave(&self, items: u64) {
        self.items.fetch_add(items, Relaxed);
    }

    /// From now on several threads pull it, which has given so many items.
    pub(crate) fn share(&self, items: u64, pullers: usize) {
        self.has_given(items);
        self.pullers.get_or_init(|| (0..pullers).map(|_| CachePadded::default()).collect());
    }

    /// So many more to one of them, who counts them itself.
    #[inline(always)]
    pub(crate) fn gave_to(&self, puller: usize, items: u64) {
        let count = self.pullers.get().and_then(|pullers| pullers.get(puller));
        debug_assert!(count.is_some(), "each puller has a count");
        if let Some(count) = count {
            count.store(count.load(Relaxed) + items, Relaxed);
        }
    }

    pub(crate) fn items(&self) -> u64 {
        let to_pullers: u64 = self.pullers.get().into_iter().flatten().map(|count| count.load(Relaxed)).sum();
        self.items.load(Relaxed) + to_pullers
    }

    pub(crate) fn was_busy(&self, nanoseconds: u64) {
        self.busy.fetch_add(nanoseconds, Relaxed);
    }

    pub(crate) fn busy(&self) -> Duration {
        Duration::from_nanos(self.busy.load(Relaxed))
    }
}

/// What one of several pullers counts of a stage that leaves items out, beside what it keeps for the stages above.
#[derive(Debug, Default)]
pub struct Counted<L> {
    pub(crate) above: L,
    given: u64,
    probe: Option<Arc<Probe>>,
}

/// So many items are counted here before they are counted in.
const HEAP: u64 = 64;

impl<L> Counted<L> {
    #[inline(always)]
    pub(crate) fn count(&mut self, post: &Post) {
        self.given += 1;
        // an item that is measured may be a slow one: whoever looks is not to wait for a heap of them
        if self.given == HEAP || self.probe.is_none() || sampling::is_on() {
            self.count_in(post);
        }
    }

    #[cold]
    fn count_in(&mut self, post: &Post) {
        if self.probe.is_none() {
            self.probe = post.probe().and_then(Probe::myself);
        }
        self.settle();
    }

    fn settle(&mut self) {
        if let Some(probe) = &self.probe {
            probe.gave(std::mem::take(&mut self.given));
        }
    }
}

impl<L> Drop for Counted<L> {
    fn drop(&mut self) {
        self.settle();
    }
}
