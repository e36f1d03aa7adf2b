//! The parent's side of a process stage. One thread pulls from above and hands out items (the feeder); one for each worker
//! starts it, takes its results, and deals with its death (a driver). They block in plain reads and writes: a write is
//! either so short that the socket has room for it, or goes to a worker that has nothing else to do than to read it; and
//! whoever may have to wait for a worker's answer reads all its answers. So nobody waits in a circle.
use super::jam::Asked;
use super::ledger::{Job, Ledger, Peer, Pulse, UNREAD};
use super::luggage::{self, Luggage};
use super::options::{OnDeath, Options};
use super::page::Page;
use super::start::{Ended, Heard, NoStart, Plan, Worker, describe, send_all};
use super::task::Task;
use super::wakeful::Wakeful;
use super::why::{DECODING, decode};
use super::wire::{Frames, Garbage, HEAD, Kind, LIMIT, encode, too_long};
use crate::Error;
use crate::error::{Site, caught};
use crate::monitor::lane::{self, Lane, Part};
use crate::monitor::{Survey, sampling};
use crate::pipe::{Envelope, Pipe, Signal, Start, Watched};
use crate::pool::stop::Pulling;
use crate::pool::{Above, Credits, Cursor, Flow, Hand, Results, Tray};
use parking_lot::{Mutex, MutexGuard};
use std::any::type_name;
use std::convert::Infallible;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::*};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// The feeder takes at most so many items at once.
const CHUNK: usize = 32;
/// Results that a worker has finished and not sent are fetched when nothing has been heard of it for so long.
const SILENCE: Duration = Duration::from_millis(1);
/// So many workers in a row that die without having done anything are a stage that can't work.
const FUTILE: usize = 8;

/// A worker process.
#[derive(Clone, Debug)]
struct Living {
    pid: u32,
    page: Arc<Page>,
    pulse: Arc<Pulse>,
    /// How long its items took, and how many, that are in the timeline; and up to when that reaches.
    drawn: (u64, u64),
    until: u64,
}

impl Living {
    fn worked(&self) -> u64 {
        self.pulse.worked(&self.page)
    }
}

/// What the stage, its handles and its threads share.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub(crate) options: OnceLock<Options>,
    waiting: AtomicUsize,
    restarts: AtomicUsize,
    /// Items that a worker died of.
    deaths: AtomicUsize,
    living: Mutex<Vec<Option<Living>>>,
    /// Nanoseconds that items took in workers which are gone.
    took: AtomicU64,
}

impl Shared {
    /// Of the workers that live.
    pub(crate) fn pids(&self) -> Vec<u32> {
        self.living.lock().iter().flatten().map(|worker| worker.pid).collect()
    }

    /// How long items took in all workers, those that are under way included.
    pub(crate) fn took(&self) -> Duration {
        let living = self.living.lock();
        let now: u64 = living.iter().flatten().map(Living::worked).sum();
        Duration::from_nanos(self.took.load(Relaxed) + now)
    }

    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Relaxed)
    }

    pub(crate) fn restarts(&self) -> usize {
        self.restarts.load(Relaxed)
    }

    pub(crate) fn deaths(&self) -> usize {
        self.deaths.load(Relaxed)
    }

    fn set_worker(&self, k: usize, worker: Option<(u32, &Peer)>) {
        let mut living = self.living.lock();
        if living.len() <= k {
            living.resize(k + 1, None);
        }
        let worker = worker.map(|(pid, Peer { page, pulse, .. })| {
            let (page, pulse) = (page.clone(), pulse.clone());
            Living { pid, page, pulse, drawn: (0, 0), until: 0 }
        });
        if let Some(gone) = std::mem::replace(&mut living[k], worker) {
            self.took.fetch_add(gone.worked(), Relaxed);
        }
    }

    /// Draws what a worker has done since the last time.
    fn draw(&self, k: usize, lane: &Lane) {
        let Some(track) = lane.track() else { return };
        let mut living = self.living.lock();
        let Some(Some(worker)) = living.get_mut(k) else { return };
        let (before, took) = (worker.drawn, worker.page.took_so_far());
        let items = took.1.saturating_sub(before.1);
        if items > 0 {
            // it has just said so: its work has ended about now
            let now = lane::now();
            let began = now.saturating_sub(took.0 - before.0).max(worker.until);
            track.did(Part::Work, items as usize, began, now, &[]);
            (worker.drawn, worker.until) = (took, now);
        }
    }
}

/// The stages above, and the workers that their items go to.
pub(crate) struct Crew<P: Pipe, T: Task> {
    up: Mutex<P>,
    task: T,
    context: Context,
    site: Site,
    shared: Arc<Shared>,
    desk: OnceLock<Result<Desk<Rides<P>>, String>>,
}

/// What rides along with the items of `P`.
type Rides<P> = <<P as Pipe>::Tags as crate::Named>::Raw;
/// What the stage gives.
type Given<P, T> = Envelope<<T as Task>::Out, <<P as Pipe>::Marker as crate::Named>::Raw, Rides<P>>;

/// The context's bytes and what came along with them, or why there are none. It lasts as long as the stage: so does what the
/// context's references name.
pub(crate) type Context = Result<(Vec<u8>, Luggage), String>;

/// Encodes what is sent to each worker once.
pub(crate) fn pack<C: serde::Serialize>(context: &C) -> Context {
    let mut bytes = Vec::new();
    let (result, luggage) = luggage::packing(|| encode(context, &mut bytes));
    match result {
        Ok(()) => Ok((bytes, luggage)),
        Err(error) => Err(format!("the context, of type {}, could not be encoded: {error}", type_name::<C>())),
    }
}

/// What the threads work at.
struct Desk<G> {
    plan: Plan,
    options: Options,
    ledger: Arc<Mutex<Ledger<G>>>,
    /// If the workers may wait for room, and nobody ends that by `item_timeout`.
    _asked: Option<Asked>,
    /// Held while something is written to a worker, so that what was assigned first is sent first.
    pens: Vec<Mutex<()>>,
    /// How many items may be unfinished; `None` if what is under way is bound enough.
    input: Option<Credits>,
    quit: Arc<Quit>,
    /// How many workers in a row have died without having done anything.
    futile: AtomicUsize,
}

/// Tells all drivers that it is over, wherever they wait.
#[derive(Debug)]
struct Quit {
    read: OwnedFd,
    /// Closed to tell.
    write: Mutex<Option<OwnedFd>>,
}

impl Quit {
    fn new() -> io::Result<Arc<Self>> {
        let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
        Ok(Arc::new(Self { read, write: Mutex::new(Some(write)) }))
    }

    fn tell(&self) {
        self.write.lock().take();
    }

    fn fd(&self) -> BorrowedFd<'_> {
        self.read.as_fd()
    }
}

/// Why a driver stopped listening to its worker.
enum Parting {
    /// The stage has ended.
    Quit,
    /// The worker has closed its end, or is dead.
    Gone,
    /// Its item took longer than `item_timeout`.
    Late(Duration),
    /// The stage has ended while an item was on its way, and the worker does not read: it has nothing to finish.
    Torn,
    /// It sent what makes no sense.
    Garbage(String),
}

/// Where an answer was seen.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    Socket,
    Page,
}

/// What came from a worker.
struct Taken {
    /// Whether there was an answer.
    any: bool,
    /// It waits for what may become of results that it has finished and not sent.
    waits: bool,
}

impl From<Garbage> for Parting {
    fn from(garbage: Garbage) -> Self {
        Self::Garbage(garbage.to_string())
    }
}

impl<P: Pipe<Item = T::In>, T: Task> Crew<P, T> {
    pub(crate) fn new(up: P, task: T, context: Context, site: Site, shared: Arc<Shared>) -> Self {
        Self { up: Mutex::new(up), task, context, site, shared, desk: OnceLock::new() }
    }

    /// Everything that can go wrong before the first worker.
    fn open(&self, flow: &Flow) -> Result<Desk<Rides<P>>, String> {
        let options = *self.shared.options.get().expect("set by the stage when it starts");
        let (context, luggage) = self.context.as_ref().map_err(Clone::clone)?;
        let plan = Plan::new(self.task, context.clone(), luggage.passengers.clone())?;
        let quit = Quit::new().map_err(|error| format!("there is no descriptor left for a pipe: {error}"))?;
        // a handle may hold the flow for longer than the stage lives
        let told = Arc::downgrade(&quit);
        flow.stop.on_request(Box::new(move || {
            if let Some(quit) = told.upgrade() {
                quit.tell();
            }
        }));
        let ledger = Arc::new(Mutex::new(Ledger::new(options.workers, flow.credits.bound())));
        let may_jam = !plan.passengers.is_empty() && options.item_timeout.is_none();
        Ok(Desk {
            plan,
            options,
            _asked: may_jam.then(|| Asked::from_now_on(ledger.clone())),
            ledger,
            pens: (0..options.workers).map(|_| Mutex::new(())).collect(),
            input: options.input_maxsize.map(|n| flow.credits.beside(n.saturating_add(options.workers))),
            quit,
            futile: AtomicUsize::new(0),
        })
    }

    fn error(&self, what: String) -> Error {
        Error::of_stage(what, self.site)
    }

    // ---- the feeder

    /// Pulls from above and hands out, until nothing comes any more.
    fn feed(&self, desk: &Desk<Rides<P>>, hand: &mut Hand, results: &Results<Given<P, T>>) {
        let mut up = self.up.lock();
        // how many items were taken: markers don't go to the workers
        let mut items = 0;
        let mut shares = hand.shares();
        while !hand.flow.stop.is_requested() {
            let room = desk.input.as_ref().map_or(usize::MAX, |input| input.free(items));
            // cheap items are worth waiting for company; but not for so much that the consumer, who may nap till three quarters
            // of the bound are finished, would wait for us in turn
            let (chunk, waiting) = desk.ledger.lock().demand();
            let enough = (hand.flow.credits.bound() / 4).min(CHUNK);
            let enough = if waiting { enough } else { enough.min(2 * chunk) };
            if (chunk > 1 || waiting) && hand.flow.credits.free(hand.taken) < enough {
                let _pulling = Pulling::begin();
                hand.flow.credits.nap(hand.taken, enough);
            }
            let free = hand.flow.credits.free(hand.taken).min(room);
            if free == 0 {
                let _pulling = Pulling::begin();
                match &desk.input {
                    Some(input) if room == 0 => input.wait(items, &mut hand.patient),
                    _ => hand.flow.credits.wait(hand.taken, &mut hand.patient),
                }
                continue;
            }
            hand.measured = shares.begin(Part::Pull, CHUNK.min(free));
            let (jobs, goes_on) = self.pull(&mut up, free, hand, results);
            if hand.measured.is_some() {
                shares.end(Part::Pull, jobs.len());
            }
            items += jobs.len();
            desk.ledger.lock().add(jobs);
            self.hand_out(desk);
            match goes_on {
                Ok(true) => {}
                Ok(false) => {
                    desk.ledger.lock().over = true;
                    return desk.end_if_done();
                }
                Err(error) => return hand.flow.fail(error),
            }
        }
    }

    /// Takes as many as are sure to come at once, and at least one.
    fn pull(
        &self,
        up: &mut P,
        free: usize,
        hand: &mut Hand,
        results: &Results<Given<P, T>>,
    ) -> (Vec<Job<Rides<P>>>, Result<bool, Error>) {
        let mut jobs = Vec::new();
        let mut passed = Vec::new();
        let mut goes_on = Ok(true);
        let sure = up.ready();
        let n = free.min(CHUNK).min(sure.max(1));
        for i in 0..n {
            let is_due = hand.measured.is_some_and(|measured| measured < CHUNK && measured % n == i);
            if is_due {
                sampling::begin();
            }
            let signal = {
                let _pulling = Pulling::begin();
                caught(Some(None), || up.pull_by::<Watched>())
            };
            if is_due {
                sampling::keep();
            }
            goes_on = match signal {
                Ok(Some(signal)) => {
                    hand.taken += 1;
                    self.encode(signal, up.number(), &mut jobs, &mut passed)
                }
                Ok(None) if hand.flow.stop.is_requested() => Ok(false),
                Ok(None) => caught(Some(Ok(())), || up.finish()).and_then(|end| end).map(|()| false),
                Err(panic) => Err(panic),
            };
            if !matches!(goes_on, Ok(true)) {
                break;
            }
        }
        deliver(&hand.flow, results, passed);
        (jobs, goes_on)
    }

    /// What goes to a worker, and what passes it by: markers, and the gaps of discarded items.
    fn encode(
        &self,
        signal: Signal<P>,
        number: u64,
        jobs: &mut Vec<Job<Rides<P>>>,
        passed: &mut Vec<Given<P, T>>,
    ) -> Result<bool, Error> {
        match signal {
            Envelope::Item(item, ride) => {
                let mut body = Vec::new();
                let what = type_name::<T::In>();
                let at_item = |what| Error::at_item(what, self.site, number);
                let not_encoded = |why: String| {
                    at_item(format!("the item, of type {what}, could not be encoded for a worker process: {why}"))
                };
                // encoding is the user's code, too
                let (encoded, luggage) = caught(None, || luggage::packing(|| encode(&item, &mut body)))
                    .map_err(|panic| not_encoded(panic.message().to_owned()))?;
                encoded.map_err(|error| not_encoded(error.to_string()))?;
                if !luggage.passengers.is_empty() {
                    return Err(at_item(format!(
                        "the item, of type {what}, holds a ring buffer, which can be sent to a worker only as the context of \
                         `process::map_with`"
                    )));
                }
                if body.len() + HEAD > LIMIT {
                    return Err(at_item(too_long::<T::In>("item", body.len())));
                }
                jobs.push(Job { number, ride, body, luggage, deaths: 0 });
            }
            Envelope::Mark(mark, ride) => passed.push(Envelope::Mark(mark, ride)),
            Envelope::Gap(gap, ride) => passed.push(Envelope::Gap(gap, ride)),
        }
        Ok(true)
    }

    /// Sends what waits to who has room for it.
    fn hand_out(&self, desk: &Desk<Rides<P>>) {
        loop {
            let mut ledger = desk.ledger.lock();
            let Some(k) = ledger.idlest() else { break };
            let Some(sending) = ledger.assign(k) else { break };
            desk.send(k, ledger, sending);
        }
        self.shared.waiting.store(desk.ledger.lock().waiting(), Relaxed);
    }

    // ---- the drivers

    /// Keeps the worker of one place going, and its successors.
    fn drive(&self, desk: &Desk<Rides<P>>, k: usize, flow: &Flow, results: &Results<Given<P, T>>) {
        while let Some(mut worker) = self.start(desk, flow) {
            let (line, page, seats) = (worker.line.clone(), worker.page.clone(), worker.seats.clone());
            let peer = Peer { line, page, seats, pulse: Arc::default() };
            self.shared.set_worker(k, Some((worker.pid(), &peer)));
            desk.ledger.lock().attach(k, peer);
            self.hand_out(desk);
            let Err(parting) = self.listen(desk, k, &mut worker, flow, results);
            desk.ledger.lock().detach(k);
            let goes_on = match parting {
                Parting::Quit => {
                    self.dismiss(desk, k, worker, flow);
                    false
                }
                Parting::Gone => self.bury(desk, k, worker, None, flow, results),
                Parting::Late(limit) => self.bury(desk, k, worker, Some(limit), flow, results),
                Parting::Torn => {
                    drop(worker);
                    false
                }
                Parting::Garbage(what) => {
                    let pid = worker.pid();
                    drop(worker);
                    flow.fail(self.error(format!("the worker process {pid} sent what is no answer: {what}")));
                    false
                }
            };
            self.shared.set_worker(k, None);
            if !goes_on {
                break;
            }
            self.shared.restarts.fetch_add(1, Relaxed);
            self.hand_out(desk);
        }
    }

    /// A worker that is ready; `None` when the stage ends.
    fn start(&self, desk: &Desk<Rides<P>>, flow: &Flow) -> Option<Worker> {
        let limit = desk.options.start_timeout;
        loop {
            let why = match Worker::start(&desk.plan, limit, desk.quit.fd()) {
                Ok(worker) => return Some(worker),
                Err(NoStart::Quit) => return None,
                Err(NoStart::Died(_)) if desk.futile.fetch_add(1, Relaxed) + 1 < FUTILE => continue,
                Err(NoStart::Died(status)) => {
                    let how = describe(status);
                    format!(
                        "worker processes die before they are ready, {FUTILE} in a row, of what runs before `main`, or of the \
                         context's `Deserialize`: {how}"
                    )
                }
                Err(NoStart::Refused(why)) => format!("a worker process could not be started: {why}"),
                Err(NoStart::Late) => {
                    format!(
                        "a worker process was not ready after `start_timeout`, {limit:?}: raise that, or make what runs before \
                         `main`, or the context's `Deserialize`, quicker"
                    )
                }
                Err(NoStart::System(error)) => format!("a worker process could not be started: {error}"),
            };
            flow.fail(self.error(why));
            return None;
        }
    }

    /// Takes a worker's results until there is no more to be had.
    fn listen(
        &self,
        desk: &Desk<Rides<P>>,
        k: usize,
        worker: &mut Worker,
        flow: &Flow,
        results: &Results<Given<P, T>>,
    ) -> Result<Infallible, Parting> {
        // what it had finished and not sent was looked for since it was last heard
        let mut looked = false;
        let mut wakeful = Wakeful::default();
        loop {
            let (silence, late) = desk.deadlines(k, looked);
            // while this sleeps more items may be sent, and one of them be slow
            if silence.is_none() && worker.page.listen() {
                let mut finished = Frames::of(worker.page.finished());
                if self.take(desk, k, &mut finished, Seen::Page, flow, results)?.any {
                    continue;
                }
            }
            let deadline = [silence, late].into_iter().flatten().min();
            let heard = wakeful.wait(&worker.line.socket, || worker.line.hear(desk.quit.fd(), deadline));
            match heard.map_err(|error| Parting::Garbage(error.to_string()))? {
                Heard::Socket => {
                    // an error is an end, too
                    if worker.frames.read(&worker.line.socket).unwrap_or(0) == 0 {
                        return Err(Parting::Gone);
                    }
                    let taken = self.take(desk, k, &mut worker.frames, Seen::Socket, flow, results)?;
                    looked = taken.waits;
                    if taken.waits {
                        let mut finished = Frames::of(worker.page.finished());
                        self.take(desk, k, &mut finished, Seen::Page, flow, results)?;
                    }
                }
                Heard::Death => return Err(Parting::Gone),
                Heard::Quit => return Err(Parting::Quit),
                Heard::Nothing => {
                    let mut finished = Frames::of(worker.page.finished());
                    let Taken { any, .. } = self.take(desk, k, &mut finished, Seen::Page, flow, results)?;
                    looked = true;
                    self.hand_out(desk);
                    if let Some(limit) = desk.late(k).filter(|_| !any) {
                        return Err(Parting::Late(limit));
                    }
                }
            }
        }
    }

    /// Takes the answers that have come, and sends the worker more.
    fn take(
        &self,
        desk: &Desk<Rides<P>>,
        k: usize,
        frames: &mut Frames,
        seen: Seen,
        flow: &Flow,
        results: &Results<Given<P, T>>,
    ) -> Result<Taken, Parting> {
        let (mut answers, mut waits) = (Vec::new(), false);
        let mut ledger = desk.ledger.lock();
        while let Some(frame) = frames.next()? {
            if frame.kind == Kind::Waits {
                waits = true;
                continue;
            }
            if !matches!(frame.kind, Kind::Done | Kind::Panicked | Kind::Failed) {
                return Err(Garbage::OutOfPlace(frame.kind).into());
            }
            match ledger.answered(k, frame.number) {
                Ok(Some(job)) => answers.push((job, frame)),
                Ok(None) => {} // the page showed it before
                // the one before it has just been sent, and is still in the socket
                Err(_) if seen == Seen::Page => break,
                Err(n) => return Err(Parting::Garbage(format!("an answer to the item {n}, which it was not given"))),
            }
        }
        if answers.is_empty() {
            return Ok(Taken { any: false, waits });
        }
        ledger.pace(k);
        self.shared.draw(k, &flow.lanes[k]);
        // before anything else: the worker is not to wait. But for what is long, everybody else would
        let mut long = None;
        match ledger.assign(k) {
            Some(sending) if sending.1.len() > UNREAD => {
                long = Some((desk.pens[k].lock(), sending));
                drop(ledger);
            }
            Some(sending) => desk.send(k, ledger, sending),
            None => drop(ledger),
        }
        desk.futile.store(0, Relaxed);
        let n = answers.len();
        let mut batch = Vec::with_capacity(n);
        for (job, frame) in answers {
            match self.result(&job, frame.kind, frames.body(&frame)) {
                Ok(result) => batch.push(Envelope::Item(result, job.ride)),
                Err(error) => flow.fail(error),
            }
        }
        deliver(flow, results, batch);
        self.shared.waiting.store(desk.ledger.lock().waiting(), Relaxed);
        desk.finished(n);
        if let Some((_pen, (peer, bytes))) = long {
            // nobody else would hear if the worker stopped reading
            let limit = desk.options.item_timeout;
            match peer.line.send_unless(&bytes, desk.quit.fd(), limit.map(|limit| Instant::now() + limit)) {
                Ok(Heard::Quit) => return Err(Parting::Torn),
                Ok(Heard::Nothing) => return Err(Parting::Late(limit.unwrap_or_default())),
                // if it is gone the next read says so
                Ok(Heard::Socket | Heard::Death) | Err(_) => {}
            }
        }
        Ok(Taken { any: true, waits })
    }

    /// What an answer says.
    fn result(&self, job: &Job<Rides<P>>, kind: Kind, body: &[u8]) -> Result<T::Out, Error> {
        let at_item = |what| Error::at_item(what, self.site, job.number);
        let not_decoded =
            |what, of, why: &str| at_item(format!("the {what}, of type {of}, could not be decoded: {why}{DECODING}"));
        let no_result = |why: &str| not_decoded("result", type_name::<T::Reply>(), why);
        let no_item = |why: &str| not_decoded("item", type_name::<T::In>(), why);
        match kind {
            Kind::Panicked => Err(Error::of_remote_panic(&String::from_utf8_lossy(body), self.site, job.number)),
            Kind::Failed => Err(at_item(String::from_utf8_lossy(body).into_owned())),
            _ => {
                // decoding is the user's code, too
                let reply = caught(None, || decode(body)).map_err(|panic| no_result(panic.message()))?;
                let reply = reply.map_err(|error| no_result(&error))?;
                let out = caught(None, || T::out(&job.body, reply)).map_err(|panic| no_item(panic.message()))?;
                out.map_err(|error| no_item(&error))
            }
        }
    }

    /// The stage has ended: the worker may finish its item.
    fn dismiss(&self, desk: &Desk<Rides<P>>, k: usize, worker: Worker, flow: &Flow) {
        worker.page.recall();
        let hurried = flow.stop.is_hurried();
        // who holds the pen may wait for this very worker, which reads on when it is done with its item
        let dismiss = |worker: &Worker| desk.pens[k].try_lock().map(|_pen| worker.dismiss()).is_some();
        let (limit, pid) = (desk.options.end_timeout, worker.pid());
        let deadline = Instant::now() + if hurried { Duration::ZERO } else { limit };
        if let Ok(Ended::Killed) = worker.end(deadline, dismiss)
            && !hurried
        {
            log::warn!(
                "{}: the worker process {pid} was still at its item {limit:?} after the stop, and was killed",
                self.site
            );
        }
    }

    /// A worker has died, or is to, for its item took too long. Takes what it has finished, and sees to the item that it was
    /// at. Whether another worker is to take its place.
    fn bury(
        &self,
        desk: &Desk<Rides<P>>,
        k: usize,
        mut worker: Worker,
        late: Option<Duration>,
        flow: &Flow,
        results: &Results<Given<P, T>>,
    ) -> bool {
        let pid = worker.pid();
        let status = worker.kill();
        // nothing changes any more: what is in the socket, then what did not get there
        let mut last = std::mem::take(&mut worker.frames);
        let taken = loop {
            if let Err(parting) = self.take(desk, k, &mut last, Seen::Socket, flow, results) {
                break Err(parting);
            }
            if worker.line.read_rest(&mut last) == 0 {
                break self.take(desk, k, &mut Frames::of(worker.page.finished()), Seen::Page, flow, results);
            }
        };
        if let Err(Parting::Garbage(what)) = taken {
            flow.fail(self.error(format!("the worker process {pid} sent what is no answer, and died: {what}")));
            return false;
        }
        let ran = desk.ledger.lock().died(k, &worker.page);
        let how = match (late, status) {
            (Some(limit), _) => format!("it took longer than `item_timeout`, {limit:?}, and was killed"),
            (None, Ok(status)) => describe(status),
            (None, Err(error)) => format!("its status is not known: {error}"),
        };
        drop(worker);
        match ran {
            Some(job) => {
                let about = desk.options.about.and_then(|about| about(&job.body));
                let which =
                    about.map_or_else(|| format!(", of type {}", type_name::<T::In>()), |about| format!(" ({about})"));
                let what = format!("the worker process {pid} died at this item{which}: {how}");
                self.mourn(desk, job, &what, flow, results);
            }
            None if desk.futile.fetch_add(1, Relaxed) + 1 >= FUTILE => {
                flow.fail(self.error(format!(
                    "worker processes die without having done anything, {FUTILE} in a row; the last one: {how}"
                )));
            }
            None => log::warn!("{}: the idle worker process {pid} died, and is replaced: {how}", self.site),
        }
        !flow.stop.is_requested()
    }

    /// An item that a worker died of.
    fn mourn(
        &self,
        desk: &Desk<Rides<P>>,
        mut job: Job<Rides<P>>,
        what: &str,
        flow: &Flow,
        results: &Results<Given<P, T>>,
    ) {
        self.shared.deaths.fetch_add(1, Relaxed);
        let error = |what| Error::at_item(what, self.site, job.number);
        match desk.options.on_death {
            OnDeath::Fail => {
                flow.fail(error(format!(
                    "{what}; `on_death = retry(1)` would run it once more, `on_death = skip` leave it out"
                )));
                desk.ledger.lock().given_up();
            }
            OnDeath::Retry(n) if job.deaths < n => {
                log::warn!("{}; it is run again", error(what.to_owned()));
                job.deaths += 1;
                desk.ledger.lock().again(job);
            }
            OnDeath::Retry(n) => {
                flow.fail(error(format!("{what}; this happened {} times, `on_death = retry({n})`", n + 1)));
                desk.ledger.lock().given_up();
            }
            OnDeath::Skip => {
                log::warn!("{}; it is left out", error(what.to_owned()));
                match Envelope::gap(job.ride) {
                    Some(gap) => deliver(flow, results, vec![gap]),
                    None => flow.credits.give_back(1),
                }
                drop(job);
                desk.ledger.lock().given_up();
                desk.finished(1);
            }
        }
    }
}

impl<G> Desk<G> {
    /// Writes what was assigned while the ledger was held.
    fn send(&self, k: usize, ledger: MutexGuard<'_, Ledger<G>>, (peer, bytes): (Peer, Vec<u8>)) {
        let _pen = self.pens[k].lock();
        drop(ledger);
        // if it is gone its driver hears of it
        let _ = send_all(&peer.line.socket, &bytes);
    }

    /// Until when to wait for a worker: before its page is looked at, or another's items are; and before its item is late.
    fn deadlines(&self, k: usize, looked: bool) -> (Option<Instant>, Option<Instant>) {
        let ledger = self.ledger.lock();
        let link = ledger.link(k);
        let silent = (link.under_way() > 1 && !looked) || ledger.could_take_over(k);
        let silence = silent.then(|| Instant::now() + SILENCE);
        // one that is idle now may be given an item at any moment
        let since = if link.under_way() > 0 { link.since } else { Instant::now() };
        (silence, self.options.item_timeout.map(|limit| since + limit))
    }

    /// The limit that the worker's item has passed.
    fn late(&self, k: usize) -> Option<Duration> {
        let ledger = self.ledger.lock();
        let link = ledger.link(k);
        self.options.item_timeout.filter(|limit| link.under_way() > 0 && link.since.elapsed() >= *limit)
    }

    /// Items have been dealt with.
    fn finished(&self, n: usize) {
        if let Some(input) = &self.input {
            input.give_back(n);
        }
        self.end_if_done();
    }

    fn end_if_done(&self) {
        if self.ledger.lock().is_done() {
            self.quit.tell();
        }
    }
}

/// To the consumer.
fn deliver<E>(flow: &Flow, results: &Results<E>, batch: Vec<E>) {
    if batch.is_empty() {
        return;
    }
    let n = batch.len();
    let mut sent = results.sent.lock();
    sent.extend(batch);
    let level = flow.sent.fetch_add(n, AcqRel) + n;
    // under the lock: whoever lies down has seen what is there
    let due = flow.items.is_due(level);
    drop(sent);
    if due {
        flow.items.ring();
    }
}

impl<P, T> Above<Given<P, T>> for Crew<P, T>
where
    P: Pipe<Item = T::In> + Send,
    T: Task<Out: Send>,
{
    fn start(&mut self, start: &mut Start) {
        self.up.get_mut().start(start);
    }

    fn survey(&self, survey: &mut Survey) {
        self.up.lock().survey(survey);
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let (least, most) = self.up.lock().size_hint();
        // what a worker dies of may be left out; before the start it is not known whether it is
        let keeps_all = self.shared.options.get().is_some_and(|options| options.on_death != OnDeath::Skip);
        (if keeps_all { least } else { 0 }, most)
    }

    fn share(&mut self, _: usize, _: usize) -> Vec<Arc<Cursor>> {
        Vec::new()
    }

    /// The last seat is the feeder's.
    fn work(&self, hand: &mut Hand, results: &Results<Given<P, T>>, _: &mut Tray<Given<P, T>>) {
        match self.desk.get_or_init(|| self.open(&hand.flow)) {
            Err(why) => hand.flow.fail(self.error(why.clone())),
            Ok(desk) if hand.seat < desk.options.workers => self.drive(desk, hand.seat, &hand.flow, results),
            Ok(desk) => self.feed(desk, hand, results),
        }
    }

    /// What is left is bytes, and goes with the stage.
    fn clear(&self, _: usize) {}
}
