//! The books of a buffer in the process that made it, and the thread that answers the workers.
//!
//! Threads of this process change the books directly, under their lock. Workers ask over a socket each; one thread polls
//! these, while there are workers, and never waits for anything else: a request for room that can't be met stays in the
//! books, and is answered by whoever makes room.
use super::books::{Asker, Books, Client, Holder};
use super::error::{Bytes, ShmError};
use super::keeper::Keeper;
use super::region::Region;
use super::wire::{Answer, Figures, Garbage, Grant, Name, Patience, Reply, Request, Stamp, frame, unframe};
use crate::crew::luggage::{Boarded, Passenger};
use crate::pool::{Bell, stop};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::collections::BTreeMap;
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Builder, JoinHandle};
use std::time::{Duration, Instant};

/// How long a wait for room lasts until it is worth a warning.
const LONG: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(crate) struct Broker {
    ring: u64,
    region: Region,
    state: Mutex<State>,
    /// Rung when it was decided how a wait of a thread of this process ends.
    decided: Arc<Bell>,
}

#[derive(Debug)]
struct State {
    books: Books,
    workers: BTreeMap<Client, Worker>,
    /// How waits of this process's threads ended, until they look.
    decisions: BTreeMap<u64, Result<Grant, ShmError>>,
    next_number: u64,
    /// How many workers have a ticket, whether or not they are still connected.
    aboard: usize,
    thread: Option<Thread>,
}

impl Broker {
    pub(crate) fn new(region: Region) -> Self {
        let state = State {
            books: Books::new(region.len()),
            workers: BTreeMap::new(),
            decisions: BTreeMap::new(),
            next_number: 0,
            aboard: 0,
            thread: None,
        };
        // references of other programs, or of another run, won't have this number
        let ring = RandomState::new().hash_one(std::process::id());
        Self { ring, region, state: Mutex::new(state), decided: Bell::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the books, and answers who waited for that.
    fn change<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        let mut state = self.state();
        let result = change(&mut state);
        let ours = state.settle();
        drop(state);
        if ours {
            self.decided.ring();
        }
        result
    }

    /// Sleeps until there is room, or until this thread is to stop.
    ///
    /// A worker thread finishes its item before it stops; but nobody will take the result of this one, and who would make
    /// room may be waiting for this thread to end.
    fn wait_for_room(&self, number: u64) -> Result<Grant, ShmError> {
        let _may_be_stopped = stop::Pulling::begin();
        let began = Instant::now();
        loop {
            stop::ring_downstream();
            let left = LONG.checked_sub(began.elapsed());
            self.decided.sleep(0, left, || self.state().decisions.contains_key(&number) || stop::requested());
            let mut state = self.state();
            if let Some(decision) = state.decisions.remove(&number) {
                return decision;
            }
            if stop::requested() {
                state.books.withdraw(|asker| *asker == Asker::Here(number));
                return Err(ShmError::Stopped);
            }
            drop(state);
            self.warn_of_long_waits();
        }
    }

    fn warn_of_long_waits(&self) {
        let mut state = self.state();
        let overdue = state.books.overdue(LONG);
        let room = state.books.room();
        drop(state);
        for needed in overdue {
            log::warn!("somebody has waited {LONG:?} for {} of shared memory: {room}", Bytes(needed));
        }
    }

    /// A worker is connected by `socket`.
    fn embark(self: &Arc<Self>, socket: UnixStream) -> io::Result<Ticket> {
        socket.set_nonblocking(true)?;
        let mut state = self.state();
        match &state.thread {
            Some(thread) => thread.wake(),
            None => state.thread = Some(Thread::start(self.clone())?),
        }
        let client = state.number();
        state.workers.insert(client, Worker::new(socket));
        state.aboard += 1;
        Ok(Ticket { broker: self.clone(), client })
    }

    /// What the thread polls, and for how long.
    fn outlook(&self) -> (Vec<Polled>, Option<Duration>) {
        let state = self.state();
        let polled = state.workers.iter().map(|(&client, worker)| worker.polled(client)).collect();
        (polled, state.books.until_overdue(LONG))
    }
}

impl Keeper for Broker {
    fn ring(&self) -> u64 {
        self.ring
    }

    fn region(&self) -> &Region {
        &self.region
    }

    fn passenger(self: Arc<Self>) -> Option<Arc<dyn Passenger>> {
        Some(Arc::new(Boarding(self)))
    }

    fn reserve(&self, bytes: usize, wait: bool) -> Result<Grant, ShmError> {
        let mut state = self.state();
        if let Some(grant) = state.books.reserve(Holder::Here, bytes)? {
            return Ok(grant);
        }
        let room = state.books.room();
        if !wait {
            return Err(ShmError::Full { needed: bytes, room });
        }
        if state.aboard == 0 && threads() == Some(1) {
            return Err(ShmError::Deadlock { needed: bytes, room });
        }
        let number = state.number();
        state.books.wait(Asker::Here(number), bytes);
        drop(state);
        self.wait_for_room(number)
    }

    fn commit(&self, key: u64, stamp: Stamp) {
        self.state().books.commit(Holder::Here, key, stamp);
    }

    fn release(&self, key: u64) {
        self.change(|state| state.books.release(Holder::Here, key));
    }

    fn read(&self, name: Name) -> Result<Grant, ShmError> {
        let hold = |state: &mut State| {
            state.books.hold(name).or_else(|_| {
                // a worker sends its reference by another way, which may be quicker than what it told us of it
                state.hear_all();
                state.books.hold(name)
            })
        };
        self.change(hold)
    }

    fn unread(&self, key: u64) {
        self.release(key);
    }

    fn counts(&self) -> bool {
        true
    }

    fn figures(&self) -> Result<Figures, ShmError> {
        Ok(self.state().books.figures())
    }

    #[cfg(test)]
    fn waiting(&self) -> usize {
        self.state().books.waiting()
    }
}

/// How many threads this process has.
pub(crate) fn threads() -> Option<usize> {
    Some(fs::read_dir("/proc/self/task").ok()?.count())
}

impl State {
    /// One that no other worker or wait has.
    fn number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number
    }

    /// Answers those whose waits are decided; whether some are threads of this process.
    fn settle(&mut self) -> bool {
        let mut ours = false;
        while let Some((asker, decision)) = self.books.decide() {
            match asker {
                Asker::Here(number) => {
                    self.decisions.insert(number, decision);
                    ours = true;
                }
                Asker::Client { client, tag, .. } => self.answer(client, tag, decision),
            }
        }
        ours
    }

    fn answer(&mut self, client: Client, tag: u64, decision: Result<Grant, ShmError>) {
        self.reply(client, tag, decision.map_or_else(Answer::Refused, Answer::Granted));
    }

    fn reply(&mut self, client: Client, tag: u64, answer: Answer) {
        let (Some(worker), Ok(reply)) = (self.workers.get_mut(&client), frame(&Reply { tag, answer })) else { return };
        worker.unsent.extend(reply);
        worker.flush();
        if let (false, Some(thread)) = (worker.unsent.is_empty(), &self.thread) {
            thread.wake(); // it polls for room in the socket from here on
        }
    }

    fn hear_all(&mut self) {
        let clients: Vec<Client> = self.workers.keys().copied().collect();
        clients.into_iter().for_each(|client| self.hear(client));
    }

    /// Does what a worker asks for.
    fn hear(&mut self, client: Client) {
        let Some(worker) = self.workers.get_mut(&client) else { return };
        worker.flush();
        let over = worker.receive();
        while let Some(worker) = self.workers.get_mut(&client) {
            match unframe(&mut worker.received).and_then(|request| request.map(|r| self.act(client, r)).transpose()) {
                Ok(Some(())) => {}
                Ok(None) => break,
                Err(garbage) => self.cut_off(client, &garbage),
            }
        }
        if over && self.workers.remove(&client).is_some() {
            self.books.bury(client);
        }
    }

    fn act(&mut self, client: Client, request: Request) -> Result<(), Garbage> {
        match request {
            Request::Reserve { tag, bytes, patience } => self.reserve(client, tag, bytes, patience),
            Request::Cancel(cancelled) => self.refuse(
                |asker| matches!(*asker, Asker::Client { client: asking, tag, .. } if (asking, tag) == (client, cancelled)),
            ),
            Request::StopWaiting => {
                self.workers.entry(client).and_modify(|worker| worker.hurried = true);
                self.refuse(|asker| matches!(*asker, Asker::Client { client: asking, .. } if asking == client));
            }
            Request::Commit(key, stamp) => {
                if !self.books.commit(Holder::Client(client), key, stamp) {
                    return Err(Garbage::OutOfPlace("a commit of what was not reserved"));
                }
            }
            Request::Release(key) => self.books.release(Holder::Client(client), key),
            Request::Read { tag, name } => {
                let grant = self.books.read(client, name);
                self.answer(client, tag, grant);
            }
            Request::Unread(key) => {
                if !self.books.unread(client, key) {
                    return Err(Garbage::OutOfPlace("an end of reading what was not read"));
                }
            }
            Request::Figures { tag } => self.reply(client, tag, Answer::Figures(self.books.figures())),
        }
        Ok(())
    }

    fn reserve(&mut self, client: Client, tag: u64, needed: usize, patience: Patience) {
        let hurried = self.workers.get(&client).is_some_and(|worker| worker.hurried);
        let answer = match (self.books.reserve(Holder::Client(client), needed).transpose(), patience) {
            (Some(answer), _) => answer,
            (None, Patience::No) => Err(ShmError::Full { needed, room: self.books.room() }),
            (None, Patience::Waits { .. }) if hurried => Err(ShmError::Stopped),
            (None, Patience::Waits { kept }) => return self.books.wait(Asker::Client { client, tag, kept }, needed),
        };
        self.answer(client, tag, answer);
    }

    /// Ends waits of workers.
    fn refuse(&mut self, which: impl Fn(&Asker) -> bool) {
        for asker in self.books.withdraw(which) {
            if let Asker::Client { client, tag, .. } = asker {
                self.answer(client, tag, Err(ShmError::Stopped));
            }
        }
    }

    /// No longer listens to a worker. What it holds stays its own until it is gone: it may still write there.
    fn cut_off(&mut self, client: Client, garbage: &Garbage) {
        log::warn!("a worker sent garbage to the owner of its shared memory, and was cut off from it: {garbage}");
        self.workers.remove(&client);
        self.books.withdraw(|asker| matches!(*asker, Asker::Client { client: asking, .. } if asking == client));
    }
}

/// A worker's connection, while the thread waits for something to come of it.
struct Polled {
    client: Client,
    socket: Arc<UnixStream>,
    awaited: PollFlags,
}

/// A worker's connection.
#[derive(Debug)]
struct Worker {
    /// Shared with the thread while it polls.
    socket: Arc<UnixStream>,
    received: Vec<u8>,
    /// What the socket did not take yet.
    unsent: Vec<u8>,
    /// Whether it is told to stop, and waits for nothing any longer.
    hurried: bool,
}

impl Worker {
    fn new(socket: UnixStream) -> Self {
        Self { socket: Arc::new(socket), received: Vec::new(), unsent: Vec::new(), hurried: false }
    }

    fn polled(&self, client: Client) -> Polled {
        let awaited = if self.unsent.is_empty() { PollFlags::IN } else { PollFlags::IN | PollFlags::OUT };
        Polled { client, socket: self.socket.clone(), awaited }
    }

    /// Takes what has come; whether that was the last.
    fn receive(&mut self) -> bool {
        let mut buffer = [0; 4096];
        loop {
            match (&*self.socket).read(&mut buffer) {
                Ok(0) => return true,
                Ok(n) => self.received.extend(&buffer[..n]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return error.kind() != ErrorKind::WouldBlock,
            }
        }
    }

    fn flush(&mut self) {
        while !self.unsent.is_empty() {
            match (&*self.socket).write(&self.unsent) {
                Ok(n) => drop(self.unsent.drain(..n)),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => self.unsent.clear(), // it is dead, as the next `receive` will tell
            }
        }
    }
}

/// The thread that listens to the workers. Dropped, it ends.
#[derive(Debug)]
struct Thread {
    /// Written to, it looks again at what to poll; closed, it ends.
    wake: Option<UnixStream>,
    join: Option<JoinHandle<()>>,
}

impl Thread {
    fn start(broker: Arc<Broker>) -> io::Result<Self> {
        let (wake, woken) = UnixStream::pair()?;
        wake.set_nonblocking(true)?;
        woken.set_nonblocking(true)?;
        let join = Builder::new().name("shm".to_owned()).spawn(move || listen(&broker, &woken))?;
        Ok(Self { wake: Some(wake), join: Some(join) })
    }

    fn wake(&self) {
        if let Some(mut wake) = self.wake.as_ref() {
            let _full_is_awake = wake.write(&[0]);
        }
    }
}

impl Drop for Thread {
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
        broker.change(|state| ready.for_each(|(worker, _)| state.hear(worker.client)));
        broker.warn_of_long_waits();
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

/// A buffer on its way to workers.
struct Boarding(Arc<Broker>);

impl Passenger for Boarding {
    fn board(&self) -> io::Result<Boarded> {
        let (ours, theirs) = UnixStream::pair()?;
        let region = self.0.region.fd().try_clone_to_owned()?;
        let ticket = self.0.embark(ours)?;
        Ok(Boarded { fds: vec![region, OwnedFd::from(theirs)], ticket: Box::new(ticket) })
    }
}

/// Stands for one worker, until it is gone and all that it sent has arrived.
struct Ticket {
    broker: Arc<Broker>,
    client: Client,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let thread = self.broker.change(|state| {
            state.workers.remove(&self.client);
            state.books.forget(self.client);
            state.aboard -= 1;
            if state.aboard == 0 { state.thread.take() } else { None }
        });
        drop(thread); // ends, and is joined, without the lock
    }
}
