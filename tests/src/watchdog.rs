//! No test hangs: whatever may block stands under a watchdog.
use std::io::{Write, stderr};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

/// Aborts the process, with the name of the test that called, unless it is dropped within `seconds`.
///
/// The limit is there to end a hang, not to measure: take it far above what the test needs.
pub fn watchdog(seconds: u64) -> Watchdog {
    // libtest names the thread after the test
    let test = thread::current().name().unwrap_or("a test").to_owned();
    let (alive, dropped) = channel::<()>();
    thread::spawn(move || {
        if dropped.recv_timeout(Duration::from_secs(seconds)) == Err(RecvTimeoutError::Timeout) {
            // `eprintln!` would be captured, and lost
            let _ = writeln!(stderr(), "watchdog: `{test}` has not ended within {seconds} s");
            std::process::abort();
        }
    });
    Watchdog { _alive: alive }
}

/// The guard of [`watchdog`].
#[derive(Debug)]
#[must_use = "it watches until it is dropped: `let _watchdog = watchdog(60);`"]
pub struct Watchdog {
    _alive: Sender<()>,
}
