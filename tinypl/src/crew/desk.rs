//! What the threads of a process stage work at, whatever its items are.
use super::feed::Feed;
use super::jam::Asked;
use super::ledger::{Ledger, Sending};
use super::options::Options;
use super::shared::Shared;
use super::start::{Plan, send_all};
use crate::Error;
use crate::error::Site;
use crate::pool::Flow;
use parking_lot::{Mutex, MutexGuard};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::*};
use std::time::{Duration, Instant};

/// Results that a worker has finished and not sent are fetched when nothing has been heard of it for so long: longer than they
/// wait for company.
const SILENCE: Duration = Duration::from_millis(2);
/// An idle worker looks so often for items that another has not come to.
const TAKE_OVER: Duration = Duration::from_millis(1);

/// `G` is what rides along with items.
pub(super) struct Desk<G> {
    pub(super) site: Site,
    pub(super) shared: Arc<Shared>,
    pub(super) plan: Plan,
    pub(super) options: Options,
    pub(super) ledger: Arc<Mutex<Ledger<G>>>,
    /// If the workers may wait for room, and nobody ends that by `item_timeout`.
    _asked: Option<Asked>,
    /// Held while something is written to a worker, so that what was assigned first is sent first.
    pub(super) pens: Vec<Mutex<()>>,
    pub(super) feed: Feed,
    pub(super) quit: Arc<Quit>,
    /// How many workers in a row have died without having done anything.
    pub(super) futile: AtomicUsize,
    /// How many have died of items since the last answer.
    pub(super) hopeless: AtomicUsize,
}

/// Tells all drivers that it is over, wherever they wait.
#[derive(Debug)]
pub(super) struct Quit {
    read: OwnedFd,
    /// Closed to tell.
    write: Mutex<Option<OwnedFd>>,
}

impl Quit {
    fn new() -> io::Result<Arc<Self>> {
        let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
        Ok(Arc::new(Self { read, write: Mutex::new(Some(write)) }))
    }

    pub(super) fn tell(&self) {
        self.write.lock().take();
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.read.as_fd()
    }
}

impl<G: Send + 'static> Desk<G> {
    /// Everything that can go wrong before the first worker.
    pub(super) fn new(plan: Plan, flow: &Flow, site: Site, shared: Arc<Shared>) -> Result<Self, String> {
        let options = *shared.options.get().expect("set by the stage when it starts");
        let quit = Quit::new().map_err(|error| format!("there is no descriptor left for a pipe: {error}"))?;
        // a handle may hold the flow for longer than the stage lives
        let told = Arc::downgrade(&quit);
        flow.stop.on_request(Box::new(move || {
            if let Some(quit) = told.upgrade() {
                quit.tell();
            }
        }));
        let ledger = Arc::new(Mutex::new(Ledger::new(options.workers, flow.credits.bound())));
        let input = options.input_maxsize.map(|n| flow.credits.beside(n.saturating_add(options.workers)));
        let may_jam = !plan.passengers.is_empty() && options.item_timeout.is_none();
        Ok(Self {
            site,
            shared,
            plan,
            options,
            _asked: may_jam.then(|| Asked::from_now_on(ledger.clone())),
            ledger,
            pens: (0..options.workers).map(|_| Mutex::new(())).collect(),
            feed: Feed::new(input),
            quit,
            futile: AtomicUsize::new(0),
            hopeless: AtomicUsize::new(0),
        })
    }
}

impl<G> Desk<G> {
    pub(super) fn error(&self, what: String) -> Error {
        Error::of_stage(what, self.site)
    }

    /// Sends what waits to who has room for it.
    pub(super) fn hand_out(&self) {
        loop {
            let mut ledger = self.ledger.lock();
            let Some(k) = ledger.idlest() else { break };
            let Some(sending) = ledger.assign(k) else { break };
            self.send(k, ledger, &sending);
        }
        self.shared.waiting.store(self.ledger.lock().waiting(), Relaxed);
    }

    /// Writes what was assigned while the ledger was held.
    pub(super) fn send(&self, k: usize, ledger: MutexGuard<'_, Ledger<G>>, sending: &Sending) {
        let _pen = self.pens[k].lock();
        drop(ledger);
        // if it is gone its driver hears of it
        for part in sending.parts() {
            let _ = send_all(&sending.peer.line.socket, part);
        }
    }

    /// Until when to wait for a worker: before its page is looked at, or another's items are; and before its item is late.
    pub(super) fn deadlines(&self, k: usize, looked: bool) -> (Option<Instant>, Option<Instant>) {
        let ledger = self.ledger.lock();
        let link = ledger.link(k);
        let silence = match link.under_way() {
            _ if ledger.could_take_over(k) => Some(TAKE_OVER),
            0 | 1 => None,
            _ => (!looked).then_some(SILENCE),
        };
        let silence = silence.map(|limit| Instant::now() + limit);
        // one that is idle now may be given an item at any moment
        let since = if link.under_way() > 0 { link.since } else { Instant::now() };
        (silence, self.options.item_timeout.map(|limit| since + limit))
    }

    /// The limit that the worker's item has passed.
    pub(super) fn late(&self, k: usize) -> Option<Duration> {
        let ledger = self.ledger.lock();
        let link = ledger.link(k);
        self.options.item_timeout.filter(|limit| link.under_way() > 0 && link.since.elapsed() >= *limit)
    }

    /// Items have been dealt with.
    pub(super) fn finished(&self, n: usize) {
        if let Some(input) = &self.feed.input {
            input.give_back(n);
        }
        self.end_if_done();
    }

    pub(super) fn end_if_done(&self) {
        if self.ledger.lock().is_done() {
            self.quit.tell();
        }
    }
}
