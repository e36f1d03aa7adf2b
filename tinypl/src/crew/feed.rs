//! What the feeders of a process stage share: whose turn it is to pull, whether the second one is needed, and who is the last to
//! have something for the workers.
use crate::pool::stop::{self, Pulling};
use crate::pool::{Bell, Credits};
use crate::sync::{Arc, AtomicBool, AtomicUsize, Mutex, MutexGuard, Ordering::*};

/// From so many bytes on an item is large: to encode it takes longer than to wake a thread.
const LARGE: usize = 64 << 10;

#[derive(Debug)]
pub(super) struct Feed {
    /// How many items may be unfinished; `None` if what is under way is bound enough.
    pub(super) input: Option<Credits>,
    /// Held by who pulls.
    pulled: Mutex<Pulled>,
    /// Who may still have something for the ledger: the source, until it ends, and each feeder who has pulled. (Whoever pulls the
    /// end is the source's heir. Who fails stays among them: that is no end.)
    owing: AtomicUsize,
    /// Nothing comes any more.
    over: AtomicBool,
    large: AtomicBool,
    /// Where feeders sleep that are not needed.
    helpers: Arc<Bell>,
}

#[derive(Debug, Default)]
pub(super) struct Pulled {
    /// Signals, and those of them that are items: markers don't go to the workers.
    pub(super) signals: usize,
    pub(super) items: usize,
}

impl Feed {
    pub(super) fn new(input: Option<Credits>) -> Self {
        Self {
            input,
            pulled: Mutex::default(),
            owing: AtomicUsize::new(1),
            over: AtomicBool::new(false),
            large: AtomicBool::new(false),
            helpers: Bell::new(),
        }
    }

    /// Whether a second feeder has something to do: items are large, or there is nothing to wait for any more.
    pub(super) fn helps(&self) -> bool {
        self.large.load(Acquire) || self.is_over()
    }

    /// Sleeps until it has, or until this thread is to stop.
    pub(super) fn sleep_until_it_helps(&self) {
        let _pulling = Pulling::begin();
        while !self.helps() && !stop::requested() {
            self.helpers.sleep(0, None, || self.helps() || stop::requested());
        }
    }

    /// The right to pull, if nobody has it.
    pub(super) fn try_turn(&self) -> Option<MutexGuard<'_, Pulled>> {
        self.pulled.try_lock()
    }

    pub(super) fn turn(&self) -> MutexGuard<'_, Pulled> {
        self.pulled.lock()
    }

    pub(super) fn is_over(&self) -> bool {
        self.over.load(Acquire)
    }

    /// Who has the turn has pulled something, or the end, and owes it to the ledger.
    pub(super) fn has_pulled(&self, goes_on: bool) {
        if goes_on {
            self.owing.fetch_add(1, AcqRel);
        } else {
            self.over.store(true, Release);
            self.helpers.ring();
        }
    }

    /// The ledger has it. Whether that was the last of all.
    pub(super) fn has_handed_on(&self) -> bool {
        self.owing.fetch_sub(1, AcqRel) == 1
    }

    pub(super) fn are_large(&self) -> bool {
        self.large.load(Relaxed)
    }

    /// So large was the last item.
    pub(super) fn note_size(&self, bytes: usize) {
        let large = bytes >= LARGE;
        if self.large.swap(large, AcqRel) != large && large {
            self.helpers.ring();
        }
    }
}
