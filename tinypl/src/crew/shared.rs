//! What a process stage, its handles and its threads share: its workers, and figures.
use super::ledger::{Peer, Pulse};
use super::options::Options;
use super::page::Page;
use crate::monitor::lane::{self, Lane, Part};
use parking_lot::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::*};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// A worker process.
#[derive(Clone, Debug)]
struct Living {
    pid: u32,
    page: Arc<Page>,
    pulse: Arc<Pulse>,
    /// How long its items took, and how many, that are in the timeline; and up to when that reaches.
    drawn: (u64, u64),
    until: u64,
}

impl Living {
    fn worked(&self) -> u64 {
        self.pulse.worked(&self.page)
    }
}

/// What the stage, its handles and its threads share.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub(crate) options: OnceLock<Options>,
    pub(super) waiting: AtomicUsize,
    pub(super) restarts: AtomicUsize,
    /// Items that a worker died of.
    pub(super) deaths: AtomicUsize,
    living: Mutex<Vec<Option<Living>>>,
    /// Nanoseconds that items took in workers which are gone.
    took: AtomicU64,
}

impl Shared {
    /// Of the workers that live.
    pub(crate) fn pids(&self) -> Vec<u32> {
        self.living.lock().iter().flatten().map(|worker| worker.pid).collect()
    }

    /// How long items took in all workers, those that are under way included.
    pub(crate) fn took(&self) -> Duration {
        let living = self.living.lock();
        let now: u64 = living.iter().flatten().map(Living::worked).sum();
        Duration::from_nanos(self.took.load(Relaxed) + now)
    }

    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Relaxed)
    }

    pub(crate) fn restarts(&self) -> usize {
        self.restarts.load(Relaxed)
    }

    pub(crate) fn deaths(&self) -> usize {
        self.deaths.load(Relaxed)
    }

    pub(super) fn set_worker(&self, k: usize, worker: Option<(u32, &Peer)>) {
        let mut living = self.living.lock();
        if living.len() <= k {
            living.resize(k + 1, None);
        }
        let worker = worker.map(|(pid, Peer { page, pulse, .. })| {
            let (page, pulse) = (page.clone(), pulse.clone());
            Living { pid, page, pulse, drawn: (0, 0), until: 0 }
        });
        if let Some(gone) = std::mem::replace(&mut living[k], worker) {
            self.took.fetch_add(gone.worked(), Relaxed);
        }
    }

    /// Draws what a worker has done since the last time.
    pub(super) fn draw(&self, k: usize, lane: &Lane) {
        let Some(track) = lane.track() else { return };
        let mut living = self.living.lock();
        let Some(Some(worker)) = living.get_mut(k) else { return };
        let (before, took) = (worker.drawn, worker.page.took_so_far());
        let items = took.1.saturating_sub(before.1);
        if items > 0 {
            // it has just said so: its work has ended about now
            let now = lane::now();
            let began = now.saturating_sub(took.0 - before.0).max(worker.until);
            track.did(Part::Work, items as usize, began, now, &[]);
            (worker.drawn, worker.until) = (took, now);
        }
    }
}
