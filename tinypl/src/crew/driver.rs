//! A thread for each worker process: it starts one, takes its answers, and deals with its death. What items are only
//! [`Answers`] know, so that this is compiled once, not for each stage.
use super::desk::Desk;
use super::entry;
use super::ledger::{Job, Peer, Sending};
use super::options::OnDeath;
use super::start::{Ended, Heard, NoStart, Worker, describe};
use super::wakeful::Wakeful;
use super::wire::{Frame, Frames, Garbage, Kind};
use crate::Error;
use crate::pool::Flow;
use rustix::io::Errno;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering::*;
use std::time::{Duration, Instant};

/// So many workers in a row that die without having done anything are a stage that can't work.
const FUTILE: usize = 8;
/// So many that die of items, without an answer between, are a function that can't work, whatever becomes of the items.
const HOPELESS: usize = 1000;

/// What may be behind an answer that is none.
const INTRUDER: &str = " (does something in the worker write to descriptors that it has not opened?)";

/// Where what workers answer goes.
pub(super) trait Answers<G> {
    /// Results go to the consumer; the first error ends the stage.
    fn take(&self, answers: Vec<(Job<G>, Frame)>, frames: &Frames);
    /// The item that this rode along with is left out.
    fn leave_out(&self, ride: G);
    /// The items' type.
    fn item(&self) -> &'static str;
}

pub(super) struct Driver<'a, G> {
    pub(super) desk: &'a Desk<G>,
    pub(super) flow: &'a Flow,
    pub(super) answers: &'a dyn Answers<G>,
    /// The place of its worker.
    pub(super) k: usize,
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

impl<G: Copy> Driver<'_, G> {
    /// Keeps the worker of one place going, and its successors.
    pub(super) fn drive(&self) {
        let Self { desk, flow, k, .. } = *self;
        while let Some(mut worker) = self.start() {
            let (line, page, seats) = (worker.line.clone(), worker.page.clone(), worker.seats.clone());
            let peer = Peer { line, page, seats, pulse: Arc::default() };
            desk.shared.set_worker(k, Some((worker.pid(), &peer)));
            desk.ledger.lock().attach(k, peer);
            desk.hand_out();
            let Err(parting) = self.listen(&mut worker);
            desk.ledger.lock().detach(k);
            let goes_on = match parting {
                Parting::Quit => {
                    self.dismiss(worker);
                    false
                }
                Parting::Gone => self.bury(worker, None),
                Parting::Late(limit) => self.bury(worker, Some(limit)),
                Parting::Torn => {
                    drop(worker);
                    false
                }
                Parting::Garbage(what) => {
                    let pid = worker.pid();
                    drop(worker);
                    flow.fail(desk.error(format!("the worker process {pid} sent what is no answer: {what}{INTRUDER}")));
                    false
                }
            };
            desk.shared.set_worker(k, None);
            if !goes_on {
                break;
            }
            desk.shared.restarts.fetch_add(1, Relaxed);
            desk.hand_out();
        }
    }

    /// A worker that is ready; `None` when the stage ends.
    fn start(&self) -> Option<Worker> {
        let desk = self.desk;
        let limit = desk.options.start_timeout;
        loop {
            let why = match Worker::start(&desk.plan, limit, desk.quit.fd()) {
                Ok(worker) => return Some(worker),
                Err(NoStart::Quit) => return None,
                Err(NoStart::Died(_)) if desk.futile.fetch_add(1, Relaxed) + 1 < FUTILE => continue,
                Err(NoStart::Died(status)) => {
                    let how = describe(status);
                    let why = entry::other_executable()
                        .unwrap_or_else(|| "of what runs before `main`, or of the context's `Deserialize`".to_owned());
                    format!("worker processes die before they are ready, {FUTILE} in a row, {why}: {how}")
                }
                Err(NoStart::Refused(why)) => format!("a worker process could not be started: {why}"),
                Err(NoStart::Late) => {
                    format!(
                        "a worker process was not ready after `start_timeout`, {limit:?}: raise that, or make what runs before \
                         `main`, or the context's `Deserialize`, quicker"
                    )
                }
                Err(NoStart::System(error)) => {
                    let of_files = error.raw_os_error() == Some(Errno::MFILE.raw_os_error());
                    let hint = if of_files { ": raise their limit, or use fewer workers" } else { "" };
                    format!("a worker process could not be started: {error}{hint}")
                }
            };
            self.flow.fail(desk.error(why));
            return None;
        }
    }

    /// Takes a worker's results until there is no more to be had.
    fn listen(&self, worker: &mut Worker) -> Result<Infallible, Parting> {
        let Self { desk, k, .. } = *self;
        // what it had finished and not sent was looked for since it was last heard
        let mut looked = false;
        let mut wakeful = Wakeful::default();
        loop {
            let (silence, late) = desk.deadlines(k, looked);
            // while this sleeps more items may be sent, and one of them be slow
            if silence.is_none() && worker.page.listen() {
                let mut finished = Frames::of(worker.page.finished());
                if self.take(&mut finished, Seen::Page)?.any {
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
                    let taken = self.take(&mut worker.frames, Seen::Socket)?;
                    looked = taken.waits;
                    if taken.waits {
                        let mut finished = Frames::of(worker.page.finished());
                        self.take(&mut finished, Seen::Page)?;
                    }
                }
                Heard::Death => return Err(Parting::Gone),
                Heard::Quit => return Err(Parting::Quit),
                Heard::Nothing => {
                    let mut finished = Frames::of(worker.page.finished());
                    let Taken { any, .. } = self.take(&mut finished, Seen::Page)?;
                    looked = true;
                    desk.hand_out();
                    if let Some(limit) = desk.late(k).filter(|_| !any) {
                        return Err(Parting::Late(limit));
                    }
                }
            }
        }
    }

    /// Takes the answers that have come, and sends the worker more.
    fn take(&self, frames: &mut Frames, seen: Seen) -> Result<Taken, Parting> {
        let Self { desk, k, .. } = *self;
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
        desk.shared.draw(k, &self.flow.lanes[k]);
        // before anything else: the worker is not to wait. But for what is long, everybody else would
        let mut long = None;
        match ledger.assign(k) {
            Some(sending) if sending.long.is_some() => {
                long = Some((desk.pens[k].lock(), sending));
                drop(ledger);
            }
            Some(sending) => desk.send(k, ledger, &sending),
            None => drop(ledger),
        }
        desk.futile.store(0, Relaxed);
        desk.hopeless.store(0, Relaxed);
        let n = answers.len();
        self.answers.take(answers, frames);
        desk.shared.waiting.store(desk.ledger.lock().waiting(), Relaxed);
        desk.finished(n);
        if let Some((_pen, sending)) = long {
            self.send_long(&sending)?;
        }
        Ok(Taken { any: true, waits })
    }

    /// Writes what takes as long as the worker takes to read it. If it stopped reading nobody else would hear.
    fn send_long(&self, sending: &Sending) -> Result<(), Parting> {
        let Desk { options, quit, .. } = self.desk;
        let limit = options.item_timeout;
        let deadline = limit.map(|limit| Instant::now() + limit);
        for part in sending.parts() {
            match sending.peer.line.send_unless(part, quit.fd(), deadline) {
                Ok(Heard::Quit) => return Err(Parting::Torn),
                Ok(Heard::Nothing) => return Err(Parting::Late(limit.unwrap_or_default())),
                Ok(Heard::Socket) => {}
                // if it is gone the next read says so
                Ok(Heard::Death) | Err(_) => break,
            }
        }
        Ok(())
    }

    /// The stage has ended: the worker may finish its item.
    fn dismiss(&self, worker: Worker) {
        let Self { desk, flow, k, .. } = *self;
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
                desk.site
            );
        }
    }

    /// A worker has died, or is to, for its item took too long. Takes what it has finished, and sees to the item that it was
    /// at. Whether another worker is to take its place.
    fn bury(&self, mut worker: Worker, late: Option<Duration>) -> bool {
        let Self { desk, flow, k, .. } = *self;
        let pid = worker.pid();
        let status = worker.kill();
        // nothing changes any more: what is in the socket, then what did not get there
        let mut last = std::mem::take(&mut worker.frames);
        let taken = loop {
            if let Err(parting) = self.take(&mut last, Seen::Socket) {
                break Err(parting);
            }
            if worker.line.read_rest(&mut last) == 0 {
                break self.take(&mut Frames::of(worker.page.finished()), Seen::Page);
            }
        };
        if let Err(Parting::Garbage(what)) = taken {
            flow.fail(
                desk.error(format!("the worker process {pid} sent what is no answer, and died: {what}{INTRUDER}")),
            );
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
                    about.map_or_else(|| format!(", of type {}", self.answers.item()), |about| format!(" ({about})"));
                let what = format!("the worker process {pid} died at this item{which}: {how}");
                self.mourn(job, &what);
            }
            None if desk.futile.fetch_add(1, Relaxed) + 1 >= FUTILE => {
                flow.fail(desk.error(format!(
                    "worker processes die without having done anything, {FUTILE} in a row; the last one: {how}. Look for who ends \
                     them, or for what runs in them beside the function"
                )));
            }
            None => log::warn!("{}: the idle worker process {pid} died, and is replaced: {how}", desk.site),
        }
        !flow.stop.is_requested()
    }

    /// An item that a worker died of.
    fn mourn(&self, mut job: Job<G>, what: &str) {
        let Self { desk, flow, .. } = *self;
        desk.shared.deaths.fetch_add(1, Relaxed);
        let in_a_row = desk.hopeless.fetch_add(1, Relaxed) + 1;
        let error = |what| Error::at_item(what, desk.site, job.number);
        let fatal = match desk.options.on_death {
            OnDeath::Retry(_) | OnDeath::Skip if in_a_row >= HOPELESS => format!(
                "{what}; {HOPELESS} workers in a row have died of items, and none has given a result: it is not the items"
            ),
            OnDeath::Fail => {
                format!("{what}; `on_death = retry(1)` would run it once more, `on_death = skip` leave it out")
            }
            OnDeath::Retry(n) if job.deaths < n => {
                log::warn!("{}; it is run again", error(what.to_owned()));
                job.deaths += 1;
                return desk.ledger.lock().again(job);
            }
            OnDeath::Retry(n) => format!(
                "{what}; this happened {} times, `on_death = retry({n})`; `on_death = skip` would leave it out",
                n + 1
            ),
            OnDeath::Skip => {
                log::warn!("{}; it is left out", error(what.to_owned()));
                self.answers.leave_out(job.ride);
                drop(job);
                desk.ledger.lock().given_up();
                return desk.finished(1);
            }
        };
        flow.fail(error(fatal));
        desk.ledger.lock().given_up();
    }
}
