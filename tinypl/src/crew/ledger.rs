//! Which worker has which item. Pure book-keeping: it is kept behind one lock, and whoever holds that does nothing slow.
use super::luggage::Luggage;
use super::page::Page;
use super::wire::{self, HEAD, Kind};
use std::collections::VecDeque;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// As many bytes fit into a socket, whoever reads at its other end: a writer of so little never waits.
const UNREAD: usize = 64 << 10;
/// As many frames do.
const MOST: usize = 64;
/// How long the items that a worker gets at once should take, in nanoseconds: long against the few microseconds that a
/// message costs, short against what anybody waits for.
const CHUNK: u64 = 20_000;

/// A worker that has not been heard of for so long is at something slow: what it has not started is for who is idle.
const PATIENCE: Duration = Duration::from_micros(200);

/// An item on its way through a worker. `G` is what rides along.
pub(crate) struct Job<G> {
    pub(crate) number: u64,
    pub(crate) ride: G,
    /// Its bytes: another worker may need them.
    pub(crate) body: Vec<u8>,
    /// Dropped with the job.
    pub(crate) _luggage: Luggage,
    /// How many workers have died of it.
    pub(crate) deaths: u32,
}

/// What a worker has.
pub(crate) struct Link<G> {
    peer: Option<Peer>,
    /// What was sent and not answered, in the order sent. The first of them has the number `first` on this socket.
    under_way: VecDeque<Job<G>>,
    first: u64,
    /// The bytes of them.
    bytes: usize,
    /// How many items to send at once.
    want: usize,
    /// The worker was told to start nothing more.
    recalled: bool,
    /// Its time and its items, when the pace was last reckoned.
    took: (u64, u64),
    /// Since when the first of them is at work, at the earliest.
    pub(crate) since: Instant,
}

/// The other end.
#[derive(Clone)]
pub(crate) struct Peer {
    pub(crate) socket: Arc<UnixStream>,
    pub(crate) page: Arc<Page>,
}

pub(crate) struct Ledger<G> {
    /// What no worker has.
    waiting: VecDeque<Job<G>>,
    links: Vec<Link<G>>,
    /// How many items to send at once at most.
    most: usize,
    /// Nothing more comes from above.
    pub(crate) over: bool,
}

impl<G> Ledger<G> {
    pub(crate) fn new(workers: usize, under_way: usize) -> Self {
        let link = || Link {
            peer: None,
            under_way: VecDeque::new(),
            first: 0,
            bytes: 0,
            want: 1,
            recalled: false,
            took: (0, 0),
            since: Instant::now(),
        };
        let most = (under_way / workers / 2).clamp(1, MOST / 2);
        Self { waiting: VecDeque::new(), links: (0..workers).map(|_| link()).collect(), most, over: false }
    }

    pub(crate) fn link(&self, k: usize) -> &Link<G> {
        &self.links[k]
    }

    /// How many items wait for a worker: those that none has, and those that one has not come to.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len() + self.links.iter().map(|link| link.under_way.len().saturating_sub(1)).sum::<usize>()
    }

    /// Whether every item has been dealt with, and no more will come.
    pub(crate) fn is_done(&self) -> bool {
        self.over && self.waiting.is_empty() && self.links.iter().all(|link| link.under_way.is_empty())
    }

    pub(crate) fn add(&mut self, jobs: impl IntoIterator<Item = Job<G>>) {
        self.waiting.extend(jobs);
    }

    /// A new worker is at the other end.
    pub(crate) fn attach(&mut self, k: usize, peer: Peer) {
        let link = &mut self.links[k];
        (link.peer, link.first, link.recalled, link.took, link.want) = (Some(peer), 0, false, (0, 0), 1);
    }

    /// Nothing is to be sent there any more.
    pub(crate) fn detach(&mut self, k: usize) {
        self.links[k].peer = None;
    }

    /// The worker that has least to do and could do more.
    pub(crate) fn idlest(&self) -> Option<usize> {
        let able = (0..self.links.len()).filter(|k| self.links[*k].room() > 0);
        able.min_by_key(|k| self.links[*k].under_way.len())
    }

    /// Whether a worker has nothing to do while another one has items that it has not come to.
    pub(crate) fn could_take_over(&self, k: usize) -> bool {
        self.links[k].under_way.is_empty() && self.links.iter().any(Link::has_spare)
    }

    /// Moves waiting items to a worker: the bytes to be sent to it. `None` if there is nothing to send.
    pub(crate) fn assign(&mut self, k: usize) -> Option<(Peer, Vec<u8>)> {
        if self.waiting.is_empty() && self.links[k].under_way.is_empty() {
            self.recall();
        }
        let share = self.waiting.len().div_ceil(self.links.len());
        let link = &mut self.links[k];
        let room = link.room();
        // a few items for a worker that has enough wait for company: it will be heard of again
        let few = self.waiting.len() < link.want && link.under_way.len() > link.want / 2;
        if room == 0 || few || self.waiting.is_empty() {
            return None;
        }
        let peer = link.peer.clone()?;
        let mut out = Vec::new();
        if link.recalled {
            link.recalled = false;
            wire::push_short(&mut out, Kind::Resume, link.next(), &[]);
        }
        if link.under_way.is_empty() {
            link.since = Instant::now();
        }
        for _ in 0..room.min(share.max(1)) {
            let Some(job) = self.waiting.front() else { break };
            let length = HEAD + job.body.len();
            // a long write waits until the worker reads, so it has to have nothing else to do
            if link.bytes + length > UNREAD && !link.under_way.is_empty() {
                break;
            }
            wire::push_short(&mut out, Kind::Item, link.next(), &job.body);
            link.bytes += length;
            link.under_way.extend(self.waiting.pop_front());
        }
        (!out.is_empty()).then_some((peer, out))
    }

    /// Somebody has nothing to do: takes back what the busiest worker has not started.
    fn recall(&mut self) {
        let busy = self.links.iter_mut().filter(|link| link.has_spare() && link.since.elapsed() >= PATIENCE);
        let Some(link) = busy.max_by_key(|link| link.under_way.len()) else { return };
        let Some(started) = link.peer.as_ref().and_then(|peer| peer.page.recall()) else { return };
        link.recalled = true;
        let back = link.split_off(started);
        self.waiting.extend(back);
    }

    /// An answer has come: the job that it answers. `None` if it was answered before.
    ///
    /// # Errors
    /// When the worker has not got that far: answers come in the order of the items.
    pub(crate) fn answered(&mut self, k: usize, number: u64) -> Result<Option<Job<G>>, u64> {
        let link = &mut self.links[k];
        if number < link.first {
            return Ok(None);
        }
        if number > link.first || link.under_way.is_empty() {
            return Err(number);
        }
        Ok(link.pop())
    }

    /// Reckons anew how many items the worker should get at once.
    pub(crate) fn pace(&mut self, k: usize) {
        let most = self.most;
        let link = &mut self.links[k];
        let Some(peer) = &link.peer else { return };
        let took = peer.page.took_so_far();
        let (time, items) = (took.0.saturating_sub(link.took.0), took.1.saturating_sub(link.took.1));
        if let Some(each) = time.checked_div(items) {
            link.took = took;
            let want = usize::try_from(CHUNK / each.max(1)).unwrap_or(most);
            // one cheap item is no promise
            link.want = want.min(2 * link.want).clamp(1, most);
        }
        link.since = Instant::now();
    }

    /// A worker has died, and all that it sent was taken: the job that it was at, if it was at one. The others wait again.
    pub(crate) fn died(&mut self, k: usize, page: &Page) -> Option<Job<G>> {
        let link = &mut self.links[k];
        // what is left after a recall was started before it
        let at_one = link.recalled || page.started().is_some_and(|started| started > link.first);
        let ran = if at_one { link.pop() } else { None };
        let back = link.split_off(0);
        for job in back.into_iter().rev() {
            self.waiting.push_front(job);
        }
        ran
    }

    /// To be run again, before all others.
    pub(crate) fn again(&mut self, job: Job<G>) {
        self.waiting.push_front(job);
    }
}

impl<G> Link<G> {
    /// The number of the next item on this socket.
    fn next(&self) -> u64 {
        self.first + self.under_way.len() as u64
    }

    fn has_spare(&self) -> bool {
        self.under_way.len() > 1 && !self.recalled
    }

    pub(crate) fn under_way(&self) -> usize {
        self.under_way.len()
    }

    /// How many more items it may get: one chunk under way and one to go on with.
    fn room(&self) -> usize {
        let idle = self.under_way.is_empty();
        if self.peer.is_none() || (self.recalled && !idle) || (self.bytes >= UNREAD && !idle) {
            return 0;
        }
        (2 * self.want).saturating_sub(self.under_way.len())
    }

    fn pop(&mut self) -> Option<Job<G>> {
        let job = self.under_way.pop_front()?;
        self.first += 1;
        self.bytes -= HEAD + job.body.len();
        Some(job)
    }

    /// Takes out what has this number on the socket, and all after it.
    fn split_off(&mut self, number: u64) -> VecDeque<Job<G>> {
        let at = number.saturating_sub(self.first).min(self.under_way.len() as u64);
        let back = self.under_way.split_off(at as usize);
        self.bytes -= back.iter().map(|job| HEAD + job.body.len()).sum::<usize>();
        back
    }
}
