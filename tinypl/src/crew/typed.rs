//! The parent's side of a process stage. A thread pulls from above and hands out items (`feeder.rs`); one for each worker
//! starts it, takes its results, and deals with its death (`driver.rs`). They block in plain reads and writes: a write is
//! either so short that the socket has room for it, or goes to a worker that has nothing else to do than to read it; and
//! whoever may have to wait for a worker's answer reads all its answers. So nobody waits in a circle.
//!
//! Here is what depends on types: how an item is pulled and encoded, and what an answer says.
use super::body::Body;
use super::desk::Desk;
use super::driver::{Answers, Driver};
use super::feeder::{CHUNK, Source, feed};
use super::ledger::Job;
use super::luggage::{self, Luggage};
use super::options::OnDeath;
use super::shared::Shared;
use super::start::Plan;
use super::task::Task;
use super::why::{DECODING, decode};
use super::wire::{Frame, Frames, HEAD, Kind, LIMIT, encode, too_long};
use crate::Error;
use crate::error::{Site, caught};
use crate::monitor::{Survey, sampling};
use crate::pipe::{Envelope, Pipe, Signal, Start, Watched};
use crate::pool::stop::Pulling;
use crate::pool::{Above, Cursor, Flow, Hand, Results, Tray};
use parking_lot::Mutex;
use std::any::type_name;
use std::sync::atomic::Ordering::*;
use std::sync::{Arc, OnceLock};

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

impl<P: Pipe<Item = T::In>, T: Task> Crew<P, T> {
    pub(crate) fn new(up: P, task: T, context: Context, site: Site, shared: Arc<Shared>) -> Self {
        Self { up: Mutex::new(up), task, context, site, shared, desk: OnceLock::new() }
    }

    fn open(&self, flow: &Flow) -> Result<Desk<Rides<P>>, String> {
        let (context, luggage) = self.context.as_ref().map_err(Clone::clone)?;
        let plan = Plan::new(self.task, context.clone(), luggage.passengers.clone())?;
        Desk::new(plan, flow, self.site, self.shared.clone())
    }
}

/// A feeder's way to the stages above.
struct Puller<'a, P: Pipe, T: Task> {
    crew: &'a Crew<P, T>,
    flow: &'a Flow,
    results: &'a Results<Given<P, T>>,
    /// What it has pulled and not encoded yet, with the numbers of items. What an error leaves of it goes when the stage has
    /// failed: to drop it may panic.
    signals: Vec<(u64, Signal<P>)>,
    /// What an item is encoded into.
    buffer: Vec<u8>,
}

impl<P: Pipe<Item = T::In>, T: Task> Source<Rides<P>> for Puller<'_, P, T> {
    fn pull(&mut self, n: usize, hand: &mut Hand) -> (usize, Result<bool, Error>) {
        let mut up = self.crew.up.lock();
        let n = n.min(up.ready().max(1));
        let mut items = 0;
        for i in 0..n {
            let is_due = hand.measured.is_some_and(|measured| measured < CHUNK && measured % n == i);
            if is_due {
                sampling::begin();
            }
            let signal = {
                let _pulling = Pulling::begin();
                up.pull_by::<Watched>()
            };
            if is_due {
                sampling::keep();
            }
            let Some(signal) = signal else {
                let end = if hand.flow.stop.is_requested() { Ok(()) } else { up.finish() };
                return (items, end.map(|()| false));
            };
            hand.taken += 1;
            items += usize::from(matches!(signal, Envelope::Item(..)));
            self.signals.push((up.number(), signal));
        }
        (items, Ok(true))
    }

    fn encode(&mut self) -> (Vec<Job<Rides<P>>>, Result<(), Error>) {
        let (mut jobs, mut passed) = (Vec::with_capacity(self.signals.len()), Vec::new());
        let mut result = Ok(());
        self.signals.reverse();
        while let Some((number, signal)) = self.signals.pop() {
            match signal {
                Envelope::Item(item, ride) => match encoded(&item, &mut self.buffer) {
                    Ok((body, luggage)) => jobs.push(Job { number, ride, body, luggage, deaths: 0 }),
                    Err(what) => {
                        result = Err(Error::at_item(what, self.crew.site, number));
                        break;
                    }
                },
                Envelope::Mark(mark, ride) => passed.push(Envelope::Mark(mark, ride)),
                Envelope::Gap(gap, ride) => passed.push(Envelope::Gap(gap, ride)),
            }
        }
        deliver(self.flow, self.results, passed);
        (jobs, result)
    }
}

/// An item's bytes, and what comes along. `buffer` is for the next one, who may have as many.
fn encoded<I: serde::Serialize>(item: &I, buffer: &mut Vec<u8>) -> Result<(Body, Luggage), String> {
    buffer.clear();
    // encoding is the user's code, too
    let encoded = caught(None, || luggage::packing(|| encode(item, buffer)));
    let length = buffer.len();
    let luggage = checked(encoded, length, type_name::<I>())?;
    let body = Body::take(buffer);
    buffer.reserve(length);
    Ok((body, luggage))
}

/// What came along with an item, if it can be sent; else why not.
fn checked(
    encoded: Result<(Result<(), String>, Luggage), Error>,
    length: usize,
    item: &str,
) -> Result<Luggage, String> {
    let not_encoded = |why: &str| format!("the item, of type {item}, could not be encoded for a worker process: {why}");
    let (encoded, luggage) = encoded.map_err(|panic| not_encoded(panic.message()))?;
    encoded.map_err(|why| not_encoded(&why))?;
    if !luggage.passengers.is_empty() {
        return Err(format!(
            "the item, of type {item}, holds a ring buffer, which can be sent to a worker only as the context of \
             `process::map_with`"
        ));
    }
    if length + HEAD > LIMIT {
        return Err(too_long("item", item, length));
    }
    Ok(luggage)
}

/// A driver's way to the consumer.
struct Typed<'a, P: Pipe, T: Task> {
    site: Site,
    flow: &'a Flow,
    results: &'a Results<Given<P, T>>,
}

impl<P: Pipe<Item = T::In>, T: Task> Answers<Rides<P>> for Typed<'_, P, T> {
    fn take(&self, answers: Vec<(Job<Rides<P>>, Frame)>, frames: &Frames) {
        let mut batch = Vec::with_capacity(answers.len());
        for (job, frame) in answers {
            match result::<T>(&job.body, frame.kind, frames.body(&frame)) {
                Ok(result) => batch.push(Envelope::Item(result, job.ride)),
                Err(Failed::Panicked(panic)) => self.flow.fail(Error::of_remote_panic(&panic, self.site, job.number)),
                Err(Failed::Other(what)) => self.flow.fail(Error::at_item(what, self.site, job.number)),
            }
        }
        deliver(self.flow, self.results, batch);
    }

    fn leave_out(&self, ride: Rides<P>) {
        match Envelope::gap(ride) {
            Some(gap) => deliver(self.flow, self.results, vec![gap]),
            None => self.flow.credits.give_back(1),
        }
    }

    fn item(&self) -> &'static str {
        type_name::<T::In>()
    }
}

/// Why there is no result.
enum Failed {
    /// The function has panicked, with this message.
    Panicked(String),
    Other(String),
}

/// What the answer to an item says.
fn result<T: Task>(sent: &[u8], kind: Kind, body: &[u8]) -> Result<T::Out, Failed> {
    match kind {
        Kind::Panicked => Err(Failed::Panicked(String::from_utf8_lossy(body).into_owned())),
        Kind::Failed => Err(Failed::Other(String::from_utf8_lossy(body).into_owned())),
        _ => {
            // decoding is the user's code, too
            let reply = decoded(caught(None, || decode(body)), "result", type_name::<T::Reply>())?;
            decoded(caught(None, || T::out(sent, reply)), "item", type_name::<T::In>())
        }
    }
}

fn decoded<R>(decoded: Result<Result<R, String>, Error>, what: &str, of: &str) -> Result<R, Failed> {
    let why = match decoded {
        Ok(Ok(value)) => return Ok(value),
        Ok(Err(why)) => why,
        Err(panic) => panic.message().to_owned(),
    };
    Err(Failed::Other(format!("the {what}, of type {of}, could not be decoded: {why}{DECODING}")))
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

    /// The last seats are the feeders'.
    fn work(&self, hand: &mut Hand, results: &Results<Given<P, T>>, _: &mut Tray<Given<P, T>>) {
        match self.desk.get_or_init(|| self.open(&hand.flow)) {
            Err(why) => hand.flow.fail(Error::of_stage(why.clone(), self.site)),
            Ok(desk) if hand.seat < desk.options.workers => {
                let answers = Typed::<P, T> { site: self.site, flow: &hand.flow, results };
                Driver { desk, flow: &hand.flow, answers: &answers, k: hand.seat }.drive();
            }
            Ok(desk) => {
                let flow = hand.flow.clone();
                feed(
                    desk,
                    hand,
                    &mut Puller { crew: self, flow: &flow, results, signals: Vec::new(), buffer: Vec::new() },
                );
            }
        }
    }

    /// What is left is bytes, and goes with the stage.
    fn clear(&self, _: usize) {}
}
