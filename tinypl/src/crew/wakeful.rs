//! Staying awake for a short wait. To be woken costs microseconds, and tens of them where a processor has to be woken, too, as
//! that of a virtual machine; meanwhile cheap items have come and gone. So who waited shortly the last time gives turns away
//! for as long, and sleeps only then.
use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};
use std::os::unix::net::UnixStream;
use std::thread::yield_now;
use std::time::{Duration, Instant};

/// A short wait. It bounds what an idle pipeline burns: once so long, then it sleeps until something comes. (Items that come one by
/// one and take just less keep their worker and its driver awake. Those that come in numbers share messages of a millisecond.)
const SHORT: Duration = Duration::from_micros(200);

/// One for each place where somebody waits.
#[derive(Debug, Default)]
pub(crate) struct Wakeful {
    /// Whether the last wait was short.
    short: bool,
}

impl Wakeful {
    /// Around a `sleep` until there is something to read at `socket`, an end, too.
    pub(crate) fn wait<R>(&mut self, socket: &UnixStream, sleep: impl FnOnce() -> R) -> R {
        let began = Instant::now();
        while self.short && is_silent(socket) {
            yield_now();
            // who was away for longer shares the core with somebody who works
            self.short = began.elapsed() < SHORT;
        }
        let awake = self.short;
        let result = sleep();
        self.short = awake || began.elapsed() < SHORT;
        result
    }
}

/// Whether a read would wait.
fn is_silent(socket: &UnixStream) -> bool {
    recv(socket, &mut [0_u8; 1][..], RecvFlags::DONTWAIT | RecvFlags::PEEK) == Err(Errno::AGAIN)
}
