//! The consumer's side of a queue: it takes results by the heap, and waits for them.
use super::bell::{NAP, Turns, take_turns};
use super::desk::{Cursor, Outbox, outbox};
use super::flow::{Flow, OnWorkerError, Options};
use super::spawn::{Job, Join, Spawn};
use super::stop;
use super::worker::{self, Above};
use crate::error::Site;
use crate::locked::{Given, Serial, pulls};
use crate::monitor::lane::Doing;
use crate::monitor::{Crew, Survey};
use crate::pipe::{Envelope, Ride, Start, Unnamed, Upstream, Way};
use crate::post::Post;
use crate::sync::{Arc, CLOCK, Instant, Mutex, Ordering::*, pause};
use crate::{Error, stopping};
use crossbeam_utils::CachePadded;
use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

/// Where results wait for the consumer.
pub(crate) struct Results<E> {
    pub(crate) sent: CachePadded<Mutex<VecDeque<E>>>,
    /// One for each worker: what it has finished and not yet sent.
    outboxes: Vec<Arc<Outbox<E>>>,
    /// One for each worker: where it is told that the consumer waits.
    cursors: Vec<Arc<Cursor>>,
}

impl<E> Results<E> {
    fn anything_sent(&self) -> bool {
        !self.sent.lock().is_empty()
    }

    fn anything_finished(&self) -> bool {
        self.outboxes.iter().any(|outbox| outbox.len() > 0)
    }

    /// Asks every worker to say so when it finishes an item.
    fn ask(&self) {
        self.cursors.iter().for_each(|cursor| cursor.ask());
    }
}

/// The results of worker threads, as a source for one puller. It names neither what stands above nor whose markers and
/// orders pass: `M` and `G` are what travels of them.
pub struct Output<'a, T, M, G: Ride> {
    flow: Arc<Flow>,
    state: Running<'a, Envelope<T, M, G>>,
    /// What was taken from the workers' results and is still to be handed on.
    batch: VecDeque<Envelope<T, M, G>>,
    /// How many items came from above in all, at least and at most, as was known at the start.
    total: (usize, Option<usize>),
    /// How many signals were handed on, and how many of them were no items.
    given: usize,
    others: usize,
    /// How many may be handed on till the workers are to be sure to see it, and how many between two such times.
    confirm_at: usize,
    slack: usize,
    nap: Nap,
    /// What the stages above said when they started.
    start: Start,
    /// What was seen of them then: later they are in use.
    above: Survey,
}

enum Running<'a, E> {
    Not(Box<dyn Above<E> + 'a>),
    Yes {
        results: Arc<Results<E>>,
        joins: Vec<Join<'a>>,
        /// Kept, so that the stages above are dropped by who drops the queue.
        above: Option<Arc<dyn Above<E> + 'a>>,
    },
    /// Between the two.
    Never,
}

impl<'a, T: Send + 'a, M: Send + 'static, G: Ride> Output<'a, T, M, G> {
    pub(crate) fn new(above: Box<dyn Above<Envelope<T, M, G>> + 'a>, site: Site, options: Options) -> Self {
        Self {
            flow: Arc::new(Flow::new(site, options)),
            state: Running::Not(above),
            batch: VecDeque::new(),
            total: (0, None),
            given: 0,
            others: 0,
            confirm_at: 0,
            slack: 0,
            nap: Nap::default(),
            start: Start::default(),
            above: Survey::default(),
        }
    }

    /// Starts what stands above, then the threads.
    pub(crate) fn launch(&mut self, spawner: &impl Spawn<'a>, start: &mut Start) {
        if matches!(self.state, Running::Not(_))
            && let Running::Not(above) = std::mem::replace(&mut self.state, Running::Never)
        {
            self.state = self.launch_first(above, spawner);
        }
        start.repeat(&self.start);
    }

    fn launch_first(
        &mut self,
        mut above: Box<dyn Above<Envelope<T, M, G>> + 'a>,
        spawner: &impl Spawn<'a>,
    ) -> Running<'a, Envelope<T, M, G>> {
        above.start(&mut self.start);
        above.survey(&mut self.above);
        self.total = above.size_hint();
        if self.flow.options.end_timeout.is_some() {
            self.start.flows.push(self.flow.clone());
        }
        self.slack = self.flow.credits.slack();
        let (workers, chunk) = (self.flow.options.threads(), self.flow.options.chunk());
        let cursors = above.share(workers, chunk);
        let (trays, outboxes): (Vec<_>, Vec<_>) = (0..workers).map(|_| outbox(chunk)).unzip();
        let results = Arc::new(Results { sent: CachePadded::new(Mutex::new(VecDeque::new())), outboxes, cursors });
        let above: Arc<dyn Above<_> + 'a> = Arc::from(above);
        let job = |(seat, tray)| -> Job<'a> {
            let (above, flow, results) = (above.clone(), self.flow.clone(), results.clone());
            Box::new(move || worker::run(&*above, flow, seat, &results, tray))
        };
        let jobs = trays.into_iter().enumerate().map(job).collect();
        Running::Yes { results, joins: self.spawn(spawner, jobs), above: Some(above) }
    }
}

impl<'a, T, M, G: Ride> Output<'a, T, M, G> {
    pub(crate) fn flow(&self) -> &Arc<Flow> {
        &self.flow
    }

    /// Other options; only before the start, and before anybody holds the flow.
    pub(crate) fn set(&mut self, site: Site, options: Options) {
        self.flow = Arc::new(Flow::new(site, options));
    }

    fn spawn(&self, spawner: &impl Spawn<'a>, jobs: Vec<Job<'a>>) -> Vec<Join<'a>> {
        let mut joins = Vec::with_capacity(jobs.len());
        let workers = jobs.len();
        for job in jobs {
            match spawner.spawn(self.flow.site.name(), job) {
                Ok(join) => joins.push(join),
                Err(error) => {
                    let n = joins.len();
                    let what = format!("could not start worker {} of {workers}: {error}", n + 1);
                    self.flow.fail(Error::of_stage(what, self.flow.site));
                    self.flow.ended(workers - n);
                    break;
                }
            }
        }
        joins
    }

    fn results(&self) -> Option<Arc<Results<Envelope<T, M, G>>>> {
        match &self.state {
            Running::Yes { results, .. } => Some(results.clone()),
            _ => None,
        }
    }

    /// Waits until there is something to hand on; false at the end.
    #[cold]
    #[inline(never)]
    fn wait(&mut self) -> bool {
        let Some(results) = self.results() else { return false };
        let flow = self.flow.clone();
        let mut warning = flow.options.warn_timeout.map(|limit| (Instant::now(), limit));
        let mut waiting = None;
        loop {
            let over = flow.active() == 0;
            if self.grab(&results) {
                return true;
            }
            waiting.get_or_insert_with(|| flow.watchers().waiting(Doing::Input));
            self.confirm();
            let ended = || flow.active() == 0 || stopping();
            // rather than reach over for each result, let a chunk be finished
            if self.nap.is_due() {
                stop::ring_downstream();
            } else if !over {
                let turns = take_turns(|| results.anything_sent() || ended());
                self.nap.after_turns(turns);
                if turns.found && self.grab(&results) {
                    return true;
                }
            }
            if !self.nap.is_due() && self.reach_over(&results) {
                return true;
            }
            if over || stopping() {
                return false;
            }
            if ended() {
                continue;
            }
            self.sleep(&results, &ended, warning.map(|(began, limit)| limit.saturating_sub(began.elapsed())));
            if let Some((began, limit)) = warning
                && began.elapsed() >= limit
            {
                warning = None;
                let workers = flow.options.workers;
                // threads that serve them are none
                let running = flow.active().min(workers);
                log::warn!(
                    "{} has waited {limit:?} for an item: {running} of {workers} workers are running",
                    flow.site
                );
            }
        }
    }

    /// Sleeps until there may be something: a nap, till much has come, or until any worker finishes anything.
    fn sleep(&mut self, results: &Results<Envelope<T, M, G>>, ended: &impl Fn() -> bool, limit: Option<Duration>) {
        let napped = CLOCK && self.nap.may();
        let items = &self.flow.items;
        let slept = if napped {
            let much = self.flow.much(self.nap.is_long());
            let in_time = self.nap.is_due();
            let look = || results.anything_sent() || (!in_time && results.anything_finished()) || ended();
            items.sleep(self.given + much, Some(limit.map_or(NAP, |limit| limit.min(NAP))), look)
        } else {
            let look = || {
                results.ask();
                results.anything_finished() || results.anything_sent() || ended()
            };
            items.sleep(0, limit, look)
        };
        if slept {
            self.nap.after(napped, self.flow.fill());
        }
    }

    /// Takes what was sent, if anything was.
    #[cold]
    #[inline(never)]
    fn look(&mut self) {
        if let Some(results) = self.results() {
            self.grab(&results);
        }
    }

    /// Takes all that was sent.
    fn grab(&mut self, results: &Results<Envelope<T, M, G>>) -> bool {
        std::mem::swap(&mut *results.sent.lock(), &mut self.batch);
        !self.batch.is_empty()
    }

    /// Takes what is finished and was not sent.
    fn reach_over(&mut self, results: &Results<Envelope<T, M, G>>) -> bool {
        let fetched = results.outboxes.iter().map(|outbox| outbox.fetch(&results.sent, &mut self.batch)).sum();
        self.flow.sent.fetch_add(fetched, AcqRel);
        !self.batch.is_empty()
    }

    /// Makes sure that no worker sleeps on what was given back.
    fn confirm(&mut self) {
        self.confirm_at = self.given + self.slack;
        self.flow.credits.gave();
    }

    /// Stops the workers, and waits for them, at most for `end_timeout`.
    fn end(&mut self) {
        self.flow.stop.request_in_drop();
        let Running::Yes { joins, above, .. } = &mut self.state else {
            return;
        };
        if let Some(limit) = self.flow.options.end_timeout {
            let began = Instant::now();
            while self.flow.active() > 0 && began.elapsed() < limit {
                // not on a bell: this thread may be one that is to stop, and would not sleep there
                pause();
            }
            if self.flow.active() > 0 {
                let what = format!(
                    "{} of {} workers were still at their item {limit:?} after the stop, and were left behind",
                    self.flow.active(),
                    self.flow.options.threads(),
                );
                let error = Error::of_stage(what, self.flow.site);
                self.flow.leave_behind(error);
                joins.clear();
            }
        }
        joins.drain(..).for_each(|join| join());
        *above = None;
        self.flow.sent.store(self.given, Release);
    }
}

impl<T, M: Send + 'static, G: Ride> Serial for Output<'_, T, M, G> {
    type Item = T;
    type Marker = Unnamed<M>;
    type Tags = Unnamed<G>;
    const WORKS: bool = false;
    const COUNTS: bool = true;

    pulls!();

    fn items(&self) -> u64 {
        (self.given - self.others) as u64
    }

    #[inline]
    fn pull_by<W: Way>(&mut self) -> Option<Given<Self>> {
        if self.batch.is_empty() && !self.wait() {
            return None;
        }
        self.given += 1;
        let signal = self.batch.pop_front();
        self.others += usize::from(!matches!(signal, Some(Envelope::Item(..))));
        self.flow.credits.give(self.given);
        if self.given > self.confirm_at {
            self.confirm();
        }
        signal
    }

    fn upstream(&mut self) -> Option<&mut dyn Upstream> {
        None
    }

    fn survey(&mut self, post: &Post, given: u64, survey: &mut Survey) {
        match &self.state {
            Running::Not(above) => above.survey(survey),
            _ => survey.extend(&self.above),
        }
        let options = self.flow.options;
        survey.queue(post, Crew { flow: self.flow.clone(), processes: None });
        survey.option("workers", options.workers).option("maxsize", options.maxsize()).counts(given);
        survey.limit("warn_timeout", options.warn_timeout);
        match options.on_worker_error {
            OnWorkerError::Forward => {}
            OnWorkerError::Exit => _ = survey.option("on_worker_error", "exit"),
            OnWorkerError::ForwardAndPrint => _ = survey.option("on_worker_error", "forward_and_print"),
        }
    }

    #[inline]
    fn ready(&mut self) -> usize {
        if self.batch.is_empty() {
            self.look();
        }
        self.batch.len()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let (least, most) = match &self.state {
            Running::Not(above) => above.size_hint(),
            _ => self.total,
        };
        let items = self.given - self.others;
        (least.saturating_sub(items), most.map(|most| most.saturating_sub(items)))
    }

    fn finish(&mut self) -> Result<(), Error> {
        self.flow.failure()
    }
}

impl<T, M, G: Ride> Drop for Output<'_, T, M, G> {
    fn drop(&mut self) {
        self.end();
    }
}

impl<T, M, G: Ride> fmt::Debug for Output<'_, T, M, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output").field("flow", &self.flow).finish_non_exhaustive()
    }
}

/// Whether the next sleep may be a nap. That is worth it when results come thick; one that finds next to nothing makes the
/// next rarer. It is due when this thread was alone on its core, and had nothing to do there for two thirds of the time:
/// as long as it looks for results the scheduler takes the core for used, and lets the workers share the others.
#[derive(Debug, Default)]
struct Nap {
    count: u32,
    skip: u32,
    back_off: u32,
    last: Option<Instant>,
    /// When this thread last had waited.
    waited: Option<Instant>,
    /// Whether it has kept a core for nothing: it needs it less than a worker that shares another one.
    idle: bool,
}

impl Nap {
    fn is_long(&self) -> bool {
        self.count % 16 == 15
    }

    fn may(&self) -> bool {
        self.skip == 0
    }

    /// Whether it is better than to look again and again.
    fn is_due(&self) -> bool {
        self.idle && self.may()
    }

    fn after_turns(&mut self, turns: Turns) {
        let busy = self.waited.map_or(Duration::MAX, |waited| turns.began - waited);
        self.idle = turns.alone > busy.saturating_mul(2);
        self.waited = Some(turns.ended);
    }

    fn after(&mut self, napped: bool, found: usize) {
        let now = Instant::now();
        if napped {
            self.count = self.count.wrapping_add(1);
            if found >= 4 {
                self.back_off = 1;
            } else {
                self.back_off = (self.back_off * 2).clamp(1, 1024);
                self.skip = self.back_off;
            }
        } else if self.last.is_some_and(|last| now - last < NAP / 4) {
            self.skip = self.skip.saturating_sub(1);
        }
        self.last = Some(now);
        self.waited = Some(now);
        self.idle = false;
    }
}
