//! The books of a buffer in the process that made it, and the thread that answers the workers.
//!
//! Threads of this process change the books directly, under their lock. Workers ask over a socket each; one thread polls
//! these, while there are workers, and never waits for anything else: a request for room that can't be met stays in the
//! books, and is answered by whoever makes room.
use super::books::{Asker, Books, ClientId, Holder};
use super::connection::{Connection, Polled};
use super::error::{Bytes, ShmError};
use super::keeper::Keeper;
use super::lease::Lease;
use super::listener::Listener;
use super::region::Region;
use super::wire::{Answer, Figures, Garbage, Grant, Name, Patience, Reply, Request, Stamp, frame};
use crate::crew::jam;
use crate::crew::luggage::{Boarded, Passenger, Seat};
use crate::pool::{Bell, stop};
use crate::sync::{Mutex, MutexGuard};
use std::collections::BTreeMap;
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a wait for room lasts until it is worth a warning.
const LONG: Duration = Duration::from_secs(10);
/// How long a worker has waited for room before it is looked whether anybody could ever make it.
const JAM: Duration = Duration::from_millis(200);

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
    workers: BTreeMap<ClientId, Connection>,
    /// How waits of this process's threads ended, until they look.
    decisions: BTreeMap<u64, Result<Grant, ShmError>>,
    next_number: u64,
    /// How often the books have changed.
    changes: u64,
    /// How many workers have a ticket, whether or not they are still connected.
    aboard: usize,
    listener: Option<Listener>,
}

impl Broker {
    pub(crate) fn new(region: Region) -> Self {
        let state = State {
            books: Books::new(region.len()),
            workers: BTreeMap::new(),
            decisions: BTreeMap::new(),
            next_number: 0,
            changes: 0,
            aboard: 0,
            listener: None,
        };
        // references of other programs, or of another run, won't have this number
        let ring = RandomState::new().hash_one(std::process::id());
        Self { ring, region, state: Mutex::new(state), decided: Bell::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// Changes the books, and answers who waited for that.
    fn change<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        self.attend(|state| {
            state.changes += 1;
            change(state)
        })
    }

    /// Hears workers, and answers who waited for what they say.
    fn attend<R>(&self, attend: impl FnOnce(&mut State) -> R) -> R {
        let mut state = self.state();
        let result = attend(&mut state);
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
        let _no_call = stop::Deaf::begin();
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

    pub(crate) fn warn_of_long_waits(&self) {
        let mut state = self.state();
        let overdue = state.books.overdue(LONG);
        let room = state.books.room();
        drop(state);
        for needed in overdue {
            log::warn!("somebody has waited {LONG:?} for {} of shared memory: {room}", Bytes(needed));
        }
    }

    /// Refuses the last worker that waits for room, if all that takes it is held by workers that wait, and by items that they are at
    /// or that nobody else could take: [`Books::decide`] knows nothing of items.
    ///
    /// What is so stays so. It is looked at in three steps, as no lock of the books is held while stages are asked; if the books
    /// have changed meanwhile, another time will do.
    pub(crate) fn refuse_what_lasts_for_ever(&self) {
        let state = self.state();
        let (Some(stuck), changes) = (state.books.stuck_by_items(JAM), state.changes) else { return };
        drop(state);
        let kept = self.kept_by_items(|client| stuck.contains(&client));
        let mut state = self.state();
        if state.changes == changes
            && let Some((Asker::Client { client, tag, .. }, error)) = state.books.refuse(&kept)
        {
            state.answer(client, tag, Err(error));
        }
    }

    /// How many holds of this process on what is stored are those of items that can't get on as long as these workers wait.
    fn kept_by_items(&self, waits: impl Fn(ClientId) -> bool) -> BTreeMap<u64, usize> {
        // by where a hold lies: how often items have it, and how many have it in all
        let mut holds = BTreeMap::<*const Lease, (u64, usize, usize)>::new();
        jam::jammed(&|seat| seat.ring == self.ring && waits(seat.client), &mut |luggage| {
            for hold in luggage.holds().filter_map(|hold| hold.downcast_ref::<Arc<Lease>>()) {
                if let Some(key) = hold.key_in(self.ring) {
                    holds.entry(Arc::as_ptr(hold)).or_insert((key, 0, Arc::strong_count(hold))).1 += 1;
                }
            }
        });
        let mut kept = BTreeMap::new();
        for (key, ..) in holds.into_values().filter(|(_, items, all)| items == all) {
            *kept.entry(key).or_default() += 1;
        }
        kept
    }

    /// A worker is connected by `socket`.
    fn embark(self: &Arc<Self>, socket: UnixStream) -> io::Result<Ticket> {
        socket.set_nonblocking(true)?;
        let mut state = self.state();
        match &state.listener {
            Some(listener) => listener.wake(),
            None => state.listener = Some(Listener::start(self.clone())?),
        }
        let client = state.number();
        state.workers.insert(client, Connection::new(socket));
        state.aboard += 1;
        Ok(Ticket { broker: self.clone(), client })
    }

    /// Does what these workers ask for.
    pub(crate) fn hear(&self, clients: impl Iterator<Item = ClientId>) {
        self.attend(|state| clients.for_each(|client| state.hear(client)));
    }

    /// What the thread polls, and for how long.
    pub(crate) fn outlook(&self) -> (Vec<Polled>, Option<Duration>) {
        let state = self.state();
        let polled = state.workers.iter().map(|(&client, worker)| worker.polled(client)).collect();
        let jam = state.books.is_a_worker_waiting().then_some(JAM);
        (polled, state.books.until_overdue(LONG).into_iter().chain(jam).min())
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
        let reserve = |state: &mut State| {
            if let Some(grant) = state.books.reserve(Holder::Here, bytes)? {
                return Ok(Ok(grant));
            }
            // what workers gave up before they sent their results counts
            state.hear_all();
            if let Some(grant) = state.books.reserve(Holder::Here, bytes)? {
                return Ok(Ok(grant));
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
            Ok(Err(number))
        };
        self.change(reserve)?.or_else(|number| self.wait_for_room(number))
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
        let figures = |state: &mut State| {
            state.hear_all();
            state.books.figures()
        };
        Ok(self.attend(figures))
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

    fn answer(&mut self, client: ClientId, tag: u64, decision: Result<Grant, ShmError>) {
        self.reply(client, tag, decision.map_or_else(Answer::Refused, Answer::Granted));
    }

    fn reply(&mut self, client: ClientId, tag: u64, answer: Answer) {
        let (Some(worker), Ok(reply)) = (self.workers.get_mut(&client), frame(&Reply { tag, answer })) else { return };
        worker.send(&reply);
        if !worker.is_flushed() {
            self.wake_listener(); // it polls for room in the socket from here on
        }
    }

    fn wake_listener(&self) {
        if let Some(listener) = &self.listener {
            listener.wake();
        }
    }

    fn hear_all(&mut self) {
        let clients: Vec<ClientId> = self.workers.keys().copied().collect();
        clients.into_iter().for_each(|client| self.hear(client));
    }

    /// Does what a worker asks for.
    fn hear(&mut self, client: ClientId) {
        let Some(worker) = self.workers.get_mut(&client) else { return };
        worker.flush();
        let over = worker.receive();
        while let Some(worker) = self.workers.get_mut(&client) {
            let acted = match worker.next() {
                Ok(Some(request)) => self.act(client, request),
                Ok(None) => break,
                Err(garbage) => Err(garbage),
            };
            if let Err(garbage) = acted {
                self.cut_off(client, &garbage);
            }
        }
        if over && self.workers.remove(&client).is_some() {
            self.changes += 1;
            self.books.bury(client);
        }
    }

    fn act(&mut self, client: ClientId, request: Request) -> Result<(), Garbage> {
        self.changes += u64::from(!matches!(request, Request::Figures { .. }));
        match request {
            Request::Reserve { tag, bytes, patience } => self.reserve(client, tag, bytes, patience),
            Request::Cancel(cancelled) => self.refuse(
                |asker| matches!(*asker, Asker::Client { client: asking, tag, .. } if (asking, tag) == (client, cancelled)),
            ),
            Request::StopWaiting => self.hurry(client),
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

    fn reserve(&mut self, client: ClientId, tag: u64, needed: usize, patience: Patience) {
        let hurried = self.workers.get(&client).is_some_and(|worker| worker.hurried);
        let answer = match (self.books.reserve(Holder::Client(client), needed).transpose(), patience) {
            (Some(answer), _) => answer,
            (None, Patience::No) => Err(ShmError::Full { needed, room: self.books.room() }),
            (None, Patience::Waits { .. }) if hurried => Err(ShmError::Stopped),
            (None, Patience::Waits { kept }) => {
                self.books.wait(Asker::Client { client, tag, kept }, needed);
                // it may sleep without a limit: any thread hears workers, and this request can be the first that waits
                return self.wake_listener();
            }
        };
        self.answer(client, tag, answer);
    }

    /// A worker waits for nothing any longer.
    fn hurry(&mut self, client: ClientId) {
        if let Some(worker) = self.workers.get_mut(&client) {
            worker.hurried = true;
        }
        self.refuse(|asker| matches!(*asker, Asker::Client { client: asking, .. } if asking == client));
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
    fn cut_off(&mut self, client: ClientId, garbage: &Garbage) {
        log::warn!("a worker sent garbage to the owner of its shared memory, and was cut off from it: {garbage}");
        self.workers.remove(&client);
        self.books.withdraw(|asker| matches!(*asker, Asker::Client { client: asking, .. } if asking == client));
    }
}

/// A buffer on its way to workers.
struct Boarding(Arc<Broker>);

impl Passenger for Boarding {
    fn board(&self) -> io::Result<Boarded> {
        let (ours, theirs) = UnixStream::pair()?;
        let region = self.0.region.fd().try_clone_to_owned()?;
        let ticket = self.0.embark(ours)?;
        let seat = Seat { ring: self.0.ring, client: ticket.client };
        Ok(Boarded { fds: vec![region, OwnedFd::from(theirs)], seat, ticket: Box::new(ticket) })
    }
}

/// Stands for one worker, until it is gone and all that it sent has arrived.
struct Ticket {
    broker: Arc<Broker>,
    client: ClientId,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let listener = self.broker.change(|state| {
            state.workers.remove(&self.client);
            state.books.forget(self.client);
            state.aboard -= 1;
            if state.aboard == 0 { state.listener.take() } else { None }
        });
        drop(listener); // ends, and is joined, without the lock
    }
}
