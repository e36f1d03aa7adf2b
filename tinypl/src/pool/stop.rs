//! How the threads of one queue are told to end, wherever they sleep at that moment: they may be deep in the stages
//! above, even in ones that other queues share, which go on. And how a stage that waits there is called back.
use super::bell::Bell;
use crate::monitor::lane::Lane;
use crate::sync::{Arc, AtomicBool, Mutex, Ordering::*, thread_local};
use std::cell::RefCell;
use std::fmt;
use std::mem;

/// One for all workers of a queue; or for a stage that is to be called back, see [`Listening`].
#[derive(Default)]
pub(crate) struct Stop {
    requested: AtomicBool,
    /// Whoever asks can't wait: it unwinds.
    hurried: AtomicBool,
    /// Where they sleep. Taken before a bell's own lock, never while holding it.
    bells: Mutex<Vec<Arc<Bell>>>,
    /// For those who wait elsewhere.
    calls: Mutex<Vec<Call>>,
}

type Call = Box<dyn Fn() + Send + Sync>;

impl Stop {
    pub(crate) fn request(&self) {
        self.requested.store(true, SeqCst);
        for bell in &*self.bells.lock() {
            bell.ring();
        }
        for call in &*self.calls.lock() {
            call();
        }
    }

    /// As [`request`](Self::request), from a drop that may be part of a panic.
    pub(crate) fn request_in_drop(&self) {
        self.hurried.fetch_or(std::thread::panicking(), SeqCst);
        self.request();
    }

    #[cfg(all(feature = "process", target_os = "linux"))]
    pub(crate) fn is_hurried(&self) -> bool {
        self.hurried.load(Acquire)
    }

    /// When it is requested, at once if it was, `call` is called. It must not wait.
    #[cfg_attr(
        not(all(feature = "process", target_os = "linux")),
        expect(dead_code, reason = "threads sleep on bells")
    )]
    pub(crate) fn on_request(&self, call: Call) {
        let mut calls = self.calls.lock();
        if self.is_requested() {
            call();
        }
        calls.push(call);
    }

    #[inline]
    pub(crate) fn is_requested(&self) -> bool {
        self.requested.load(Acquire)
    }

    /// Whether it was requested; from here on it isn't.
    pub(crate) fn take(&self) -> bool {
        self.is_requested() && self.requested.swap(false, AcqRel)
    }
}

impl fmt::Debug for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stop").field("requested", &self.requested).finish_non_exhaustive()
    }
}

/// What a worker thread carries about with it.
#[derive(Clone, Debug)]
pub(crate) struct Worker {
    pub(crate) stop: Arc<Stop>,
    /// Rung before this thread waits for anything of ours, if somebody naps there for more results.
    pub(crate) downstream: Arc<Bell>,
    lane: Arc<Lane>,
    /// Whether it pulls from the stages above at this moment. While it is at an item it is not to stop.
    pulling: bool,
}

impl Worker {
    pub(crate) fn new(stop: Arc<Stop>, downstream: Arc<Bell>, lane: Arc<Lane>) -> Self {
        Self { stop, downstream, lane, pulling: false }
    }
}

thread_local! {
    #[cfg_attr(not(any(loom, shuttle)), expect(clippy::missing_const_for_thread_local, reason = "the model's can't be const"))]
    static WORKER: RefCell<Option<Worker>> = RefCell::new(None);
    #[cfg_attr(not(any(loom, shuttle)), expect(clippy::missing_const_for_thread_local, reason = "the model's can't be const"))]
    /// Who calls this thread back from the stages above.
    static CALLS: RefCell<Vec<Arc<Stop>>> = RefCell::new(Vec::new());
}

/// Makes this thread a worker.
pub(crate) fn enlist(worker: Worker) {
    WORKER.with(|w| *w.borrow_mut() = Some(worker));
}

/// Until it is dropped this worker pulls: it may be told to stop. It may begin while another one lasts.
#[derive(Debug)]
pub(crate) struct Pulling {
    before: bool,
}

impl Pulling {
    pub(crate) fn begin() -> Self {
        Self { before: Self::set(true) }
    }

    fn set(pulling: bool) -> bool {
        WORKER.with(|w| w.borrow_mut().as_mut().is_some_and(|worker| mem::replace(&mut worker.pulling, pulling)))
    }
}

impl Drop for Pulling {
    fn drop(&mut self) {
        Self::set(self.before);
    }
}

/// Where a worker's waits are accounted for; while it is at an item, what it waits for is none of ours.
pub(crate) fn lane() -> Option<Arc<Lane>> {
    WORKER.with(|w| w.borrow().as_ref().filter(|w| w.pulling).map(|w| w.lane.clone()))
}

/// Whether this thread is one that can be told to stop.
#[cfg(all(feature = "process", target_os = "linux"))]
pub(crate) fn enlisted() -> bool {
    WORKER.with(|w| w.borrow().is_some())
}

/// Whether this thread is to end, or is called back. A `None` from upstream is no end then: whoever remembers ends asks.
#[cold]
pub(crate) fn requested() -> bool {
    WORKER.with(|w| w.borrow().as_ref().is_some_and(|w| w.pulling && w.stop.is_requested()))
        || CALLS.with(|calls| calls.borrow().iter().any(|call| call.is_requested()))
}

/// Until it is dropped this thread pulls for a stage that can be called back: what it waits for above may have become needless. The
/// stages above then see what they see in a stop, and give `None`, which is no end; they are pulled again afterwards.
#[derive(Debug)]
pub(crate) struct Listening;

impl Listening {
    pub(crate) fn to(call: &Arc<Stop>) -> Self {
        CALLS.with(|calls| calls.borrow_mut().push(call.clone()));
        Self
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        CALLS.with(|calls| calls.borrow_mut().pop());
    }
}

/// Until it is dropped nobody calls this thread back: it runs a user's function, which can't give up what it waits for.
#[derive(Debug)]
pub(crate) struct Deaf(Vec<Arc<Stop>>);

impl Deaf {
    pub(crate) fn begin() -> Self {
        Self(CALLS.with(|calls| mem::take(&mut *calls.borrow_mut())))
    }
}

impl Drop for Deaf {
    fn drop(&mut self) {
        CALLS.with(|calls| *calls.borrow_mut() = mem::take(&mut self.0));
    }
}

pub(crate) fn ring_downstream() {
    let bell = WORKER.with(|w| w.borrow().as_ref().map(|w| w.downstream.clone()));
    if let Some(bell) = bell {
        bell.hint(usize::MAX - 1);
    }
}

/// Stands for "this thread sleeps on that bell".
#[derive(Debug)]
pub(crate) struct Registered {
    stops: Vec<Arc<Stop>>,
    bell: Arc<Bell>,
}

/// Before a sleep: from here on a request to stop, or a call, rings `bell`. `None` if there was one.
pub(crate) fn register(bell: &Arc<Bell>) -> Option<Registered> {
    let mut stops = CALLS.with(|calls| calls.borrow().clone());
    stops.extend(WORKER.with(|w| w.borrow().as_ref().filter(|w| w.pulling).map(|w| w.stop.clone())));
    let mut registered = Registered { stops: Vec::new(), bell: bell.clone() };
    for stop in stops {
        let mut bells = stop.bells.lock();
        if stop.is_requested() {
            return None;
        }
        bells.push(bell.clone());
        drop(bells);
        registered.stops.push(stop);
    }
    Some(registered)
}

impl Drop for Registered {
    fn drop(&mut self) {
        for stop in &self.stops {
            let mut bells = stop.bells.lock();
            if let Some(i) = bells.iter().position(|b| Arc::ptr_eq(b, &self.bell)) {
                bells.swap_remove(i);
            }
        }
    }
}
