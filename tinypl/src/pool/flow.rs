//! What the workers of a queue and its consumer know of one another, whatever the items are.
use super::bell::Bell;
use super::credits::Credits;
use super::stop::Stop;
use crate::Error;
use crate::error::Site;
use crate::monitor::Probe;
use crate::monitor::lane::{Lane, Watchers};
use crate::sync::{Arc, AtomicUsize, Mutex, Ordering::*};
use std::io::Write;
use std::time::Duration;

/// What becomes of a panic, or an `Err`, in a worker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnWorkerError {
    /// The consumer gets it as an [`Error`] in the place of the next item, and the other workers stop.
    #[default]
    Forward,
    /// It is printed, and the process ends with status 1.
    Exit,
    /// As `Forward`, and it is printed at once.
    ForwardAndPrint,
}

/// The options of a queue.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    pub(crate) workers: usize,
    /// Threads that serve the workers, and are none.
    pub(crate) beside: usize,
    pub(crate) maxsize: Option<usize>,
    pub(crate) warn_timeout: Option<Duration>,
    pub(crate) end_timeout: Option<Duration>,
    pub(crate) on_worker_error: OnWorkerError,
}

impl Options {
    pub(crate) fn new() -> Self {
        Self {
            workers: std::thread::available_parallelism().map_or(1, usize::from),
            beside: 0,
            maxsize: None,
            warn_timeout: None,
            end_timeout: None,
            on_worker_error: OnWorkerError::default(),
        }
    }

    pub(crate) fn threads(&self) -> usize {
        self.workers + self.beside
    }

    /// Whether the workers are others than the threads.
    fn is_served(&self) -> bool {
        self.beside > 0
    }

    pub(crate) fn maxsize(&self) -> usize {
        // enough that cheap items travel in chunks
        self.maxsize.unwrap_or(self.workers.saturating_mul(8).max(64))
    }

    /// The largest chunk. It need not be each worker's part: who is idle takes over from others.
    pub(crate) fn chunk(&self) -> usize {
        (self.maxsize() / 4).clamp(1, 256)
    }
}

#[derive(Debug)]
pub(crate) struct Flow {
    pub(crate) site: Site,
    pub(crate) options: Options,
    /// `maxsize` results and one item in each worker's hands.
    pub(crate) credits: Credits,
    /// Rung when results have come. Its count is the credits taken.
    pub(crate) items: Arc<Bell>,
    pub(crate) stop: Arc<Stop>,
    /// Threads that have not ended.
    active: AtomicUsize,
    /// Results sent or fetched so far.
    pub(crate) sent: AtomicUsize,
    /// What its threads do beside the stages that they run.
    pub(crate) probe: Arc<Probe>,
    /// One for each thread.
    pub(crate) lanes: Vec<Arc<Lane>>,
    failure: Mutex<Option<Error>>,
    left_behind: Mutex<Option<Error>>,
}

impl Flow {
    pub(crate) fn new(site: Site, options: Options) -> Self {
        Self {
            site,
            options,
            credits: Credits::new(options.maxsize().saturating_add(options.workers)),
            items: Bell::new(),
            stop: Arc::default(),
            active: AtomicUsize::new(options.threads()),
            sent: AtomicUsize::new(0),
            probe: Probe::new(),
            lanes: (0..options.threads()).map(|_| Lane::new()).collect(),
            failure: Mutex::new(None),
            left_behind: Mutex::new(None),
        }
    }

    /// So many results may come before the consumer is woken, who naps.
    pub(crate) fn much(&self, long: bool) -> usize {
        let bound = self.credits.bound();
        let much = if self.options.is_served() {
            // who serves the workers waits for half of the bound in turn
            bound / 2
        } else if long {
            // once in a while till it is full: workers that then sleep are spread anew over the cores
            bound
        } else {
            bound * 3 / 4
        };
        much.max(1)
    }

    /// Who watches those that wait for it, or in it.
    pub(crate) fn watchers(&self) -> &Arc<Watchers> {
        self.credits.watchers()
    }

    pub(crate) fn active(&self) -> usize {
        self.active.load(Acquire)
    }

    /// A worker, or several that never began, have ended: nothing of theirs comes any more.
    pub(crate) fn ended(&self, workers: usize) {
        self.active.fetch_sub(workers, AcqRel);
        self.items.ring();
    }

    /// Ends the queue with an error; the first one counts.
    pub(crate) fn fail(&self, error: Error) {
        match self.options.on_worker_error {
            OnWorkerError::Forward => {}
            OnWorkerError::ForwardAndPrint => print(&error),
            OnWorkerError::Exit => {
                print(&error);
                std::process::exit(1);
            }
        }
        self.failure.lock().get_or_insert(error);
        self.stop.request();
    }

    pub(crate) fn failure(&self) -> Result<(), Error> {
        self.failure.lock().clone().map_or(Ok(()), Err)
    }

    /// Workers were still at their item when the stop no longer waited for them.
    pub(crate) fn leave_behind(&self, error: Error) {
        log::error!("{error}");
        *self.left_behind.lock() = Some(error);
    }

    pub(crate) fn left_behind(&self) -> Option<Error> {
        self.left_behind.lock().clone()
    }

    /// How many results are finished and not yet handed on.
    pub(crate) fn fill(&self) -> usize {
        // what is beyond `maxsize` is in the hands of workers who wait for room
        self.sent.load(Acquire).saturating_sub(self.credits.closed()).min(self.options.maxsize())
    }
}

fn print(error: &Error) {
    // in one piece, for other threads print, too; and nobody may listen
    let _ = std::io::stderr().write_all(format!("tinypl: {error}\n").as_bytes());
}
