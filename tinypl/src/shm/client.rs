//! A worker's side of a buffer: it asks the broker, over a socket of its own. Several threads may ask at once; one of those
//! that wait for an answer reads for all.
use super::broker::threads;
use super::error::ShmError;
use super::keeper::Keeper;
use super::region::Region;
use super::wire::{Answer, Figures, Grant, Name, Patience, Reply, Request, Stamp, frame, unframe};
use crate::crew;
use crate::crew::luggage::Passenger;
use crate::pool::stop;
use parking_lot::{Condvar, Mutex, MutexGuard};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

/// The threads of a worker process that are the library's: one reads what comes, one runs the function.
const OURS: usize = 2;
/// How often a thread that waits looks whether it is to stop. Only those of pipelines inside a worker are ever told to.
const LOOK: Duration = Duration::from_millis(50);

#[derive(Debug)]
pub(crate) struct Client {
    ring: u64,
    region: Region,
    socket: UnixStream,
    /// Held to send a frame whole.
    sending: Mutex<()>,
    inbox: Mutex<Inbox>,
    /// Some answers have come, or nobody reads any longer.
    arrived: Condvar,
    /// What this process made and has neither dropped nor sent.
    kept: AtomicUsize,
}

#[derive(Debug, Default)]
struct Inbox {
    next_tag: u64,
    received: Vec<u8>,
    answers: BTreeMap<u64, Answer>,
    /// Whether a thread reads from the socket, for all who wait.
    read_by_one: bool,
    gone: bool,
}

impl Client {
    pub(crate) fn new(ring: u64, region: Region, socket: UnixStream) -> Self {
        Self {
            ring,
            region,
            socket,
            sending: Mutex::new(()),
            inbox: Mutex::default(),
            arrived: Condvar::new(),
            kept: AtomicUsize::new(0),
        }
    }

    fn inbox(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock()
    }

    /// Says something. If the owner is gone it is as good as said.
    fn tell(&self, request: &Request) {
        let _sending = self.sending.lock();
        if let Ok(frame) = frame(request) {
            let _gone = (&self.socket).write_all(&frame);
        }
    }

    /// Asks, and waits for the answer.
    fn ask(&self, request: impl FnOnce(u64) -> Request) -> Result<Answer, ShmError> {
        let _may_be_stopped = stop::Pulling::begin();
        let _no_call = stop::Deaf::begin();
        stop::ring_downstream();
        let tag = {
            let mut inbox = self.inbox();
            inbox.next_tag += 1;
            inbox.next_tag
        };
        self.tell(&request(tag));
        let mut cancelled = false;
        let mut inbox = self.inbox();
        loop {
            if let Some(answer) = inbox.answers.remove(&tag) {
                return Ok(answer);
            }
            if inbox.gone {
                return Err(ShmError::Gone);
            }
            if !cancelled && stop::requested() {
                cancelled = true;
                self.tell(&Request::Cancel(tag)); // the broker answers at once, one way or the other
            }
            let limit = (stop::enlisted() && !cancelled).then_some(LOOK);
            inbox = if inbox.read_by_one { self.wait(inbox, limit) } else { self.read(inbox, limit) };
        }
    }

    /// Until the one who reads has read something.
    fn wait<'a>(&self, mut inbox: MutexGuard<'a, Inbox>, limit: Option<Duration>) -> MutexGuard<'a, Inbox> {
        match limit {
            None => self.arrived.wait(&mut inbox),
            Some(limit) => _ = self.arrived.wait_for(&mut inbox, limit),
        }
        inbox
    }

    /// Reads, for all who wait.
    fn read<'a>(&'a self, mut inbox: MutexGuard<'a, Inbox>, limit: Option<Duration>) -> MutexGuard<'a, Inbox> {
        inbox.read_by_one = true;
        drop(inbox);
        let mut buffer = [0; 4096];
        let read = self.receive(&mut buffer, limit);
        let mut inbox = self.inbox();
        inbox.read_by_one = false;
        match read {
            Ok(Some(n)) => inbox.sort(&buffer[..n]),
            Ok(None) => {}
            Err(_) => inbox.gone = true,
        }
        self.arrived.notify_all();
        inbox
    }

    /// `None` if nothing came within the limit.
    fn receive(&self, buffer: &mut [u8], limit: Option<Duration>) -> io::Result<Option<usize>> {
        let limit = limit.and_then(|limit| Timespec::try_from(limit).ok());
        if limit.is_some() {
            let mut socket = [PollFd::new(&self.socket, PollFlags::IN)];
            if rustix::io::retry_on_intr(|| poll(&mut socket, limit.as_ref()))? == 0 {
                return Ok(None);
            }
        }
        loop {
            match (&self.socket).read(buffer) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                done => return done.map(Some),
            }
        }
    }
}

impl Inbox {
    fn sort(&mut self, received: &[u8]) {
        self.received.extend(received);
        loop {
            match unframe::<Reply>(&mut self.received) {
                Ok(Some(reply)) => drop(self.answers.insert(reply.tag, reply.answer)),
                Ok(None) => return,
                Err(_) => {
                    self.gone = true; // what answers there is not the owner
                    return;
                }
            }
        }
    }
}

impl Keeper for Client {
    fn ring(&self) -> u64 {
        self.ring
    }

    fn region(&self) -> &Region {
        &self.region
    }

    fn passenger(self: Arc<Self>) -> Option<Arc<dyn Passenger>> {
        None
    }

    fn reserve(&self, bytes: usize, wait: bool) -> Result<Grant, ShmError> {
        let reserve = |patience| granted(self.ask(|tag| Request::Reserve { tag, bytes, patience })?);
        let granted = match reserve(Patience::No) {
            Err(full @ ShmError::Full { .. }) => {
                // who makes room may be waiting for a result that was not sent
                crew::waits();
                if !wait {
                    return Err(full);
                }
                let alone = threads() == Some(OURS);
                reserve(Patience::Waits { kept: alone.then(|| self.kept.load(Relaxed)) })
            }
            other => other,
        };
        self.kept.fetch_add(usize::from(granted.is_ok()), Relaxed);
        granted
    }

    fn commit(&self, key: u64, stamp: Stamp) {
        self.tell(&Request::Commit(key, stamp));
    }

    fn release(&self, key: u64) {
        self.kept.fetch_sub(1, Relaxed);
        self.tell(&Request::Release(key));
    }

    fn read(&self, name: Name) -> Result<Grant, ShmError> {
        granted(self.ask(|tag| Request::Read { tag, name })?)
    }

    fn unread(&self, key: u64) {
        self.tell(&Request::Unread(key));
    }

    fn counts(&self) -> bool {
        false
    }

    fn sent(&self) {
        self.kept.fetch_sub(1, Relaxed);
    }

    fn stop_waiting(&self) {
        self.tell(&Request::StopWaiting);
    }

    fn figures(&self) -> Result<Figures, ShmError> {
        match self.ask(|tag| Request::Figures { tag })? {
            Answer::Figures(figures) => Ok(figures),
            _ => Err(ShmError::Gone),
        }
    }
}

fn granted(answer: Answer) -> Result<Grant, ShmError> {
    match answer {
        Answer::Granted(grant) => Ok(grant),
        Answer::Refused(error) => Err(error),
        Answer::Figures(_) => Err(ShmError::Gone),
    }
}
