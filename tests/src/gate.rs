//! Interleavings under control: threads wait where a test wants them to, until it lets them go on.
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// A door for threads: closed until [`open`](Self::open) is called, and open for good then.
#[derive(Clone, Debug, Default)]
pub struct Gate(Arc<(Mutex<State>, Condvar)>);

#[derive(Debug, Default)]
struct State {
    open: bool,
    waiting: usize,
}

impl Gate {
    /// A closed one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Waits until it is open.
    pub fn pass(&self) {
        let mut state = self.state();
        state.waiting += 1;
        while !state.open {
            state = self.0.1.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.waiting -= 1;
    }

    /// Lets through all who wait, and all who come later.
    pub fn open(&self) {
        self.state().open = true;
        self.0.1.notify_all();
    }

    /// How many wait at it.
    pub fn waiting(&self) -> usize {
        self.state().waiting
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for something that other threads are about to do; the test's watchdog says if they don't.
pub fn wait_until(mut done: impl FnMut() -> bool) {
    for _ in 0..100 {
        if done() {
            return;
        }
        thread::yield_now();
    }
    while !done() {
        thread::sleep(Duration::from_micros(200));
    }
}

/// Gives other threads the chance to do what they must not do. It proves nothing when they don't, and never fails a test
/// that is right.
pub fn linger() {
    for _ in 0..50 {
        thread::yield_now();
    }
    thread::sleep(Duration::from_millis(2));
}
