//! The thread that listens to a buffer's workers, for the broker.
use super::broker::Broker;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread::{self, Builder, JoinHandle};
use std::time::Duration;

/// The thread. Dropped, it ends, and is joined.
#[derive(Debug)]
pub(crate) struct Listener {
    /// Written to, it looks again at what to poll; closed, it ends.
    wake: Option<UnixStream>,
    join: Option<JoinHandle<()>>,
}

impl Listener {
    pub(crate) fn start(broker: Arc<Broker>) -> io::Result<Self> {
        let (wake, woken) = UnixStream::pair()?;
        wake.set_nonblocking(true)?;
        woken.set_nonblocking(true)?;
        let join = Builder::new().name("tinypl-shm".to_owned()).spawn(move || listen(&broker, &woken))?;
        Ok(Self { wake: Some(wake), join: Some(join) })
    }

    pub(crate) fn wake(&self) {
        if let Some(mut wake) = self.wake.as_ref() {
            let _full_is_awake = wake.write(&[0]);
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.wake = None;
        if let Some(join) = self.join.take() {
            let _panicked = join.join();
        }
    }
}

fn listen(broker: &Broker, woken: &UnixStream) {
    loop {
        let (workers, limit) = broker.outlook();
        let mut polled = vec![PollFd::new(woken, PollFlags::IN)];
        polled.extend(workers.iter().map(|worker| PollFd::new(&*worker.socket, worker.awaited)));
        let limit = limit.and_then(|limit| Timespec::try_from(limit).ok());
        if let Err(error) = rustix::io::retry_on_intr(|| poll(&mut polled, limit.as_ref())) {
            log::error!("shared memory: can't poll its workers: {error}");
            thread::sleep(Duration::from_millis(100));
        }
        if !polled[0].revents().is_empty() && is_over(woken) {
            return;
        }
        let ready = workers.iter().zip(&polled[1..]).filter(|(_, polled)| !polled.revents().is_empty());
        broker.hear(ready.map(|(worker, _)| worker.client));
        broker.warn_of_long_waits();
        broker.refuse_what_lasts_for_ever();
    }
}

/// Takes the wake-ups that have come; whether the last was the end.
fn is_over(mut woken: &UnixStream) -> bool {
    loop {
        match woken.read(&mut [0; 64]) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return false,
        }
    }
}
