//! Which worker has which item. Pure book-keeping: it is kept behind one lock, and whoever holds that does nothing slow.
use super::body::Body;
use super::jam::Stage;
use super::luggage::{Luggage, Seat};
use super::page::Page;
use super::start::Line;
use super::wire::{self, HEAD, Kind};
use crate::monitor::lane::now;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::iter;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// As many bytes fit into a socket, whoever reads at its other end: a writer of so little never waits.
pub(crate) const UNREAD: usize = 64 << 10;
/// As many frames do.
const MOST: usize = 64;
/// How long the items that a worker gets at once should take, in nanoseconds: long against the 20 to 30 µs of both cores' time
/// that a message and its wake-ups cost. It may be: what is not started goes to who is idle.
const CHUNK: u64 = 1_000_000;

/// A worker that has not been heard of for so long is at something slow: what it has not started is for who is idle.
const PATIENCE: Duration = Duration::from_micros(200);

/// An item on its way through a worker. `G` is what rides along.
pub(crate) struct Job<G> {
    pub(crate) number: u64,
    pub(crate) ride: G,
    /// Its bytes: another worker may need them.
    pub(crate) body: Body,
    /// Dropped with the job.
    pub(crate) luggage: Luggage,
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

/// What is to be written to a worker.
pub(crate) struct Sending {
    pub(crate) peer: Peer,
    pub(crate) bytes: Vec<u8>,
    /// What comes after them, if an item is too long to be copied: then to write it takes as long as the worker takes to read it.
    pub(crate) long: Option<Body>,
}

impl Sending {
    pub(crate) fn parts(&self) -> impl Iterator<Item = &[u8]> {
        iter::once(&*self.bytes).chain(self.long.as_deref())
    }
}

/// The other end.
#[derive(Clone)]
pub(crate) struct Peer {
    pub(crate) line: Arc<Line>,
    pub(crate) page: Arc<Page>,
    pub(crate) seats: Arc<[Seat]>,
    pub(crate) pulse: Arc<Pulse>,
}

/// For who looks at a worker: the moment at which it would have begun if it had worked without a pause until now, in nanoseconds
/// as of [`now`]. The time of items that are under way is in it; while it has none, a moment that never comes.
#[derive(Debug)]
pub(crate) struct Pulse(AtomicI64);

impl Default for Pulse {
    fn default() -> Self {
        Self(AtomicI64::new(i64::MAX))
    }
}

impl Pulse {
    /// From now on it is at work, or not.
    fn beat(&self, page: &Page, works: bool) {
        let took = || now().saturating_sub(page.took_so_far().0);
        self.0.store(if works { took() as i64 } else { i64::MAX }, Relaxed);
    }

    /// How long it has worked, in nanoseconds.
    pub(crate) fn worked(&self, page: &Page) -> u64 {
        let (took, _) = page.took_so_far();
        if !page.may_be_at_one() {
            return took;
        }
        let with_this = (now() as i64).saturating_sub(self.0.load(Relaxed));
        took.max(with_this.try_into().unwrap_or(0))
    }
}

pub(crate) struct Ledger<G> {
    /// What no worker has.
    waiting: VecDeque<Job<G>>,
    links: Vec<Link<G>>,
    /// How many jobs have lost their worker, and it is not decided yet what becomes of them.
    mourned: usize,
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
        let most = (under_way / workers).clamp(1, MOST / 2);
        let links = (0..workers).map(|_| link()).collect();
        Self { waiting: VecDeque::new(), links, mourned: 0, most, over: false }
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
        let idle = || self.links.iter().all(|link| link.under_way.is_empty());
        self.over && self.mourned == 0 && self.waiting.is_empty() && idle()
    }

    /// How many items are sent at once, as things are; and whether there are as many that no worker has room for.
    pub(crate) fn demand(&self) -> (usize, bool) {
        let chunk = self.links.iter().map(|link| link.want).max().unwrap_or(1);
        (chunk, self.waiting.len() >= self.links.len() * chunk)
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

    /// Whether a worker has nothing to do while there are items that nobody has come to.
    pub(crate) fn could_take_over(&self, k: usize) -> bool {
        self.links[k].is_idle() && (!self.waiting.is_empty() || self.links.iter().any(Link::has_spare))
    }

    /// Moves waiting items to a worker: what is to be sent to it. `None` if there is nothing to send.
    pub(crate) fn assign(&mut self, k: usize) -> Option<Sending> {
        if self.waiting.is_empty() && self.links[k].under_way.is_empty() {
            self.recall();
        }
        let share = self.waiting.len().div_ceil(self.links.len());
        // the driver of one that is idle may sleep, and not see who has more than he gets done: it gets one before others get two
        let others_idle = self.links.iter().enumerate().any(|(i, link)| i != k && link.is_idle());
        let link = &mut self.links[k];
        let room = link.room();
        // a few items for a worker that has enough wait for company: it will be heard of again
        let few = self.waiting.len() < link.want && link.under_way.len() > link.want / 2;
        let theirs = others_idle && !link.is_idle();
        if room == 0 || few || theirs || self.waiting.is_empty() {
            return None;
        }
        let peer = link.peer.clone()?;
        let (mut out, mut long) = (Vec::new(), None);
        if link.recalled {
            link.recalled = false;
            wire::push_short(&mut out, Kind::Resume, link.next(), &[]);
        }
        if link.under_way.is_empty() {
            link.since = Instant::now();
            peer.pulse.beat(&peer.page, true);
        }
        for _ in 0..room.min(if others_idle { share } else { share.max(link.want) }) {
            let Some(job) = self.waiting.front() else { break };
            let length = HEAD + job.body.len();
            // a long write waits until the worker reads, so it has to have nothing else to do
            if link.bytes + length > UNREAD && !link.under_way.is_empty() {
                break;
            }
            wire::push_head(&mut out, Kind::Item, link.next(), job.body.len());
            if length > UNREAD {
                // nothing else fits beside it
                long = Some(job.body.clone());
            } else {
                out.extend(&*job.body);
            }
            link.bytes += length;
            link.under_way.extend(self.waiting.pop_front());
        }
        (!out.is_empty()).then_some(Sending { peer, bytes: out, long })
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
        peer.pulse.beat(&peer.page, !link.under_way.is_empty());
    }

    /// A worker has died, and all that it sent was taken: the job that it was at, if it was at one. The others wait again.
    /// Until that job goes [`again`](Self::again) or is [`given_up`](Self::given_up) there is still something to do.
    pub(crate) fn died(&mut self, k: usize, page: &Page) -> Option<Job<G>> {
        let link = &mut self.links[k];
        // what is left after a recall was started before it
        let at_one = link.recalled || page.started().is_some_and(|started| started > link.first);
        let ran = if at_one { link.pop() } else { None };
        let back = link.split_off(0);
        for job in back.into_iter().rev() {
            self.waiting.push_front(job);
        }
        self.mourned += usize::from(ran.is_some());
        ran
    }

    /// To be run again, before all others.
    pub(crate) fn again(&mut self, job: Job<G>) {
        self.mourned -= 1;
        self.waiting.push_front(job);
    }

    /// One that a worker died of is not run again.
    pub(crate) fn given_up(&mut self) {
        self.mourned -= 1;
    }
}

impl<G: Send> Stage for Mutex<Ledger<G>> {
    fn jammed(&self, waits: &dyn Fn(Seat) -> bool, show: &mut dyn FnMut(&Luggage)) {
        let ledger = self.lock();
        let waits = |link: &Link<G>| {
            let seats = link.peer.as_ref().map_or(&[][..], |peer| &peer.seats);
            seats.iter().any(|seat| waits(*seat)) && link.is_at_first()
        };
        // who does not wait may take what was not started
        let nobody_else = ledger.links.iter().all(waits);
        let most = if nobody_else { usize::MAX } else { 1 };
        let given = ledger.links.iter().filter(|link| waits(link)).flat_map(|link| link.under_way.iter().take(most));
        let waiting = ledger.waiting.iter().filter(|_| nobody_else);
        given.chain(waiting).for_each(|job| show(&job.luggage));
    }
}

impl<G> Link<G> {
    /// Whether the worker runs the first of its items: all that it has answered was taken.
    fn is_at_first(&self) -> bool {
        let started = self.peer.as_ref().and_then(|peer| peer.page.started());
        // what is left after a recall was started before it
        started.map_or(self.recalled && self.under_way.len() == 1, |started| started == self.first + 1)
    }

    /// The number of the next item on this socket.
    fn next(&self) -> u64 {
        self.first + self.under_way.len() as u64
    }

    /// Whether its worker has nothing to do.
    fn is_idle(&self) -> bool {
        self.peer.is_some() && self.under_way.is_empty()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crew::luggage;
    use crate::crew::page::{SIZE, Turn};
    use crate::crew::wire::Frames;
    use crate::shm::{Backend, Region};
    use std::os::unix::net::UnixStream;

    /// SplitMix64: the same walk on every run.
    struct Random(u64);

    impl Random {
        fn below(&mut self, n: usize) -> usize {
            self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let x = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            ((x ^ (x >> 31)) % n as u64) as usize
        }
    }

    /// A worker as `worker.rs` has it, one step at a time.
    struct Fake {
        page: Arc<Page>,
        /// What was sent to it, and it has not read.
        inbox: VecDeque<(Kind, u64, u64)>,
        dropping: bool,
        /// The number on the socket and the job that it is at.
        at: Option<(u64, u64)>,
        /// What it has finished, and how much of that the parent has seen.
        finished: Vec<u64>,
        seen: usize,
    }

    impl Fake {
        fn new() -> (Self, Peer) {
            let page = Arc::new(Page::new(Region::create(SIZE, Backend::Memfd).expect("a page of memory")));
            let (socket, _) = UnixStream::pair().expect("a pair of sockets");
            let line = Arc::new(Line { socket, death: None });
            let peer = Peer { line, page: page.clone(), seats: Arc::new([]), pulse: Arc::default() };
            (Self { page, inbox: VecDeque::new(), dropping: false, at: None, finished: Vec::new(), seen: 0 }, peer)
        }

        fn receive(&mut self, bytes: Vec<u8>) {
            let mut frames = Frames::of(bytes);
            while let Some(frame) = frames.next().expect("a frame") {
                let job = frames.body(&frame).first_chunk().map_or(0, |id| u64::from_le_bytes(*id));
                self.inbox.push_back((frame.kind, frame.number, job));
            }
        }

        /// The job that it starts, if it does.
        fn step(&mut self) -> Option<u64> {
            if let Some((number, _)) = self.at.take() {
                self.finished.push(number);
                return None;
            }
            match self.inbox.pop_front()? {
                (Kind::Item, ..) if self.dropping => {}
                (Kind::Item, number, job) if self.page.start() != Turn::Drop => {
                    self.at = Some((number, job));
                    return Some(job);
                }
                (Kind::Item, ..) => self.dropping = true,
                (Kind::Resume, number, _) => {
                    assert!(self.at.is_none());
                    self.page.resume(number);
                    self.dropping = false;
                }
                (kind, ..) => panic!("{kind:?} was sent"),
            }
            None
        }
    }

    /// What must be true of each job, in the plainest form.
    #[derive(Clone, Copy, Default)]
    struct Fate {
        started: u32,
        deaths: u32,
        answered: u32,
        skipped: bool,
    }

    struct Walk {
        random: Random,
        ledger: Ledger<()>,
        fakes: Vec<Fake>,
        jobs: Vec<Fate>,
        steps: u64,
        recalls: u64,
    }

    impl Walk {
        fn new(seed: u64) -> Self {
            let mut random = Random(seed);
            let (workers, under_way) = (1 + random.below(4), 1 + random.below(600));
            let mut ledger = Ledger::new(workers, under_way);
            let mut fakes = Vec::new();
            for k in 0..workers {
                let (fake, peer) = Fake::new();
                ledger.attach(k, peer);
                fakes.push(fake);
            }
            Self { random, ledger, fakes, jobs: Vec::new(), steps: 0, recalls: 0 }
        }

        fn add(&mut self) {
            for _ in 0..self.random.below(20) {
                let number = self.jobs.len() as u64;
                let length = match self.random.below(40) {
                    0 => 2 * UNREAD,
                    1..5 => self.random.below(UNREAD),
                    _ => self.random.below(20),
                };
                let mut body = number.to_le_bytes().to_vec();
                body.resize(8 + length, 0);
                self.ledger.add([Job {
                    number,
                    ride: (),
                    body: Body::take(&mut body),
                    luggage: Luggage::default(),
                    deaths: 0,
                }]);
                self.jobs.push(Fate::default());
            }
        }

        fn assign(&mut self, k: usize) {
            let before = self.ledger.links[k].under_way.len();
            if self.random.below(2) == 0 {
                // nothing was heard of them for long
                let long_ago = Instant::now().checked_sub(PATIENCE).expect("the machine has run for as long");
                self.ledger.links.iter_mut().for_each(|link| link.since = long_ago);
            }
            let Some(Sending { mut bytes, long, .. }) = self.ledger.assign(k) else { return };
            bytes.extend(long.iter().flat_map(|long| long.iter()));
            let link = &self.ledger.links[k];
            assert!(before == 0 || link.bytes <= UNREAD, "a write to a worker that is busy may have to wait");
            assert_eq!(link.bytes, link.under_way.iter().map(|job| HEAD + job.body.len()).sum::<usize>());
            assert!(link.under_way.len() <= MOST);
            self.fakes[k].receive(bytes);
            self.recalls += u64::from(self.ledger.links.iter().any(|link| link.recalled));
        }

        fn hand_out(&mut self) {
            while let Some(k) = self.ledger.idlest() {
                let before = self.ledger.waiting.len();
                self.assign(k);
                if self.ledger.waiting.len() == before {
                    break;
                }
            }
        }

        fn step(&mut self, k: usize) {
            if let Some(job) = self.fakes[k].step() {
                self.jobs[job as usize].started += 1;
            }
            let time = self.random.below(30_000) as u64;
            self.fakes[k].page.took(time);
        }

        /// The parent hears of so many answers more; it may have seen some of them before, on the page.
        fn take(&mut self, k: usize, most: usize) {
            let fake = &mut self.fakes[k];
            let again = self.random.below(3).min(fake.seen);
            let until = fake.finished.len().min(fake.seen.saturating_add(most));
            let answers = fake.finished[fake.seen - again..until].to_vec();
            for (i, number) in answers.into_iter().enumerate() {
                match self.ledger.answered(k, number).expect("it was given this item") {
                    None => assert!(i < again, "the answer {number} is new"),
                    Some(job) => {
                        assert!(i >= again, "the answer {number} was taken twice");
                        assert_eq!(job.body.first_chunk(), Some(&job.number.to_le_bytes()));
                        self.jobs[job.number as usize].answered += 1;
                    }
                }
            }
            self.fakes[k].seen = until;
            self.ledger.pace(k);
        }

        fn die(&mut self, k: usize) {
            self.ledger.detach(k);
            self.take(k, usize::MAX);
            let ran = self.ledger.died(k, &self.fakes[k].page);
            assert_eq!(ran.as_ref().map(|job| job.number), self.fakes[k].at.map(|at| at.1), "who is blamed");
            if let Some(mut job) = ran {
                let fate = &mut self.jobs[job.number as usize];
                assert_eq!(job.deaths, fate.deaths);
                let over = std::mem::replace(&mut self.ledger.over, true);
                assert!(!self.ledger.is_done(), "it may have to be run again");
                self.ledger.over = over;
                if self.random.below(3) == 0 {
                    fate.skipped = true;
                    self.ledger.given_up();
                } else {
                    (fate.deaths, job.deaths) = (fate.deaths + 1, job.deaths + 1);
                    self.ledger.again(job);
                }
            }
            assert!(self.ledger.links[k].under_way.is_empty() && self.ledger.links[k].bytes == 0);
            let (fake, peer) = Fake::new();
            self.fakes[k] = fake;
            self.ledger.attach(k, peer);
        }

        fn check(&self) {
            let mut copies = vec![0; self.jobs.len()];
            let under_way = self.ledger.links.iter().flat_map(|link| &link.under_way);
            for job in self.ledger.waiting.iter().chain(under_way) {
                copies[job.number as usize] += 1;
            }
            for (number, (fate, copies)) in self.jobs.iter().zip(copies).enumerate() {
                let over = fate.answered + u32::from(fate.skipped);
                assert_eq!(copies + over, 1, "job {number} is lost, or there are two of it");
            }
        }
    }

    /// Random walks over all that can happen: no job is lost, none doubled, none started twice unless a worker died of it, and
    /// who is blamed for a death is the one that was started.
    #[test]
    fn no_job_is_lost_none_doubled_and_the_right_one_blamed() {
        let mut recalls = 0;
        for seed in 0..84 {
            let mut walk = Walk::new(seed);
            let deadly = [0, 1, 30][seed as usize % 3];
            for _ in 0..3000 {
                let k = walk.random.below(walk.fakes.len());
                match walk.random.below(1000) {
                    0..15 => walk.add(),
                    15..200 => walk.hand_out(),
                    200..300 => walk.assign(k),
                    300..700 => walk.step(k),
                    700..960 => {
                        let most = walk.random.below(10);
                        walk.take(k, most);
                        walk.assign(k);
                    }
                    n if n < 960 + deadly => walk.die(k),
                    _ => {}
                }
                walk.steps += 1;
                if walk.steps.is_multiple_of(16) {
                    walk.check();
                }
            }
            // to the end
            walk.ledger.over = true;
            let mut turns = 0;
            while !walk.ledger.is_done() {
                turns += 1;
                assert!(turns < 100_000, "seed {seed}: {} jobs wait, and nobody takes them", walk.ledger.waiting.len());
                walk.hand_out();
                for k in 0..walk.fakes.len() {
                    walk.step(k);
                    walk.take(k, usize::MAX);
                    walk.assign(k);
                }
            }
            walk.check();
            for (number, fate) in walk.jobs.iter().enumerate() {
                let blamed = fate.deaths + u32::from(fate.skipped);
                assert_eq!(fate.started, fate.answered + blamed, "job {number} of seed {seed}");
                assert_eq!(fate.answered + u32::from(fate.skipped), 1, "job {number} of seed {seed}");
            }
            recalls += walk.recalls;
        }
        assert!(recalls > 1000, "the walks hardly saw a recall: {recalls}");
    }

    fn jobs(n: u64) -> impl Iterator<Item = Job<()>> {
        (0..n).map(|number| Job {
            number,
            ride: (),
            body: Body::take(&mut number.to_le_bytes().to_vec()),
            luggage: Luggage::default(),
            deaths: 0,
        })
    }

    /// By their numbers: the items that can't get on if these workers wait.
    fn jammed(ledger: &Mutex<Ledger<()>>, waiting: &[u64]) -> Vec<u64> {
        let mut jammed = Vec::new();
        ledger.jammed(&|seat| waiting.contains(&seat.client), &mut |luggage| {
            jammed.extend(luggage.holds().filter_map(|hold| hold.downcast_ref::<u64>()));
        });
        jammed.sort_unstable();
        jammed
    }

    #[test]
    fn items_whose_workers_wait() {
        let ledger = Mutex::new(Ledger::new(2, 90));
        let mut fakes = Vec::new();
        for k in 0..2 {
            let (fake, peer) = Fake::new();
            let seat = Seat { ring: 0, client: k as u64 };
            ledger.lock().attach(k, Peer { seats: Arc::new([seat]), ..peer });
            fakes.push(fake);
        }
        let carrying = |mut job: Job<()>| {
            job.luggage = luggage::packing(|| luggage::hold(job.number)).1;
            job
        };
        ledger.lock().add(jobs(6).map(carrying));
        for (k, fake) in fakes.iter_mut().enumerate() {
            let bytes = ledger.lock().assign(k).expect("there are items").bytes;
            fake.receive(bytes);
        }
        // each has two, and two are left
        assert_eq!(jammed(&ledger, &[0, 1]), [0; 0], "nobody has started");
        assert_eq!((fakes[0].step(), fakes[1].step()), (Some(0), Some(2)));
        assert_eq!(jammed(&ledger, &[]), [0; 0]);
        assert_eq!(jammed(&ledger, &[0]), [0], "the other one may take the rest");
        assert_eq!(jammed(&ledger, &[0, 1]), [0, 1, 2, 3, 4, 5]);
        // an answer is on its way
        assert_eq!((fakes[0].step(), fakes[0].step()), (None, Some(1)));
        assert_eq!(jammed(&ledger, &[0]), [0; 0]);
        assert_eq!(jammed(&ledger, &[0, 1]), [2]);
        assert!(ledger.lock().answered(0, 0).is_ok_and(|job| job.is_some()));
        assert_eq!(jammed(&ledger, &[0, 1]), [1, 2, 3, 4, 5]);
        // a worker that is about to come may take what was not started
        ledger.lock().detach(1);
        assert_eq!(jammed(&ledger, &[0, 1]), [1]);
    }

    /// Its driver would sleep on while items wait behind a slow one.
    #[test]
    fn nobody_gets_two_while_another_has_none() {
        for n in 0..20 {
            let mut ledger = Ledger::new(3, 90);
            for k in 0..3 {
                ledger.attach(k, Fake::new().1);
                ledger.links[k].want = 10; // items were cheap until now
            }
            ledger.add(jobs(n));
            while let Some(k) = ledger.idlest() {
                if ledger.assign(k).is_none() {
                    break;
                }
            }
            let given: Vec<usize> = ledger.links.iter().map(Link::under_way).collect();
            assert_eq!(given.iter().sum::<usize>(), n as usize);
            assert!(!given.contains(&0) || given.iter().all(|n| *n < 2), "{n} items: {given:?}");
        }
        let mut ledger = Ledger::new(2, 90);
        ledger.attach(0, Fake::new().1);
        ledger.add(jobs(1));
        assert!(ledger.assign(0).is_some());
        ledger.attach(1, Fake::new().1);
        ledger.add(jobs(1));
        assert!(ledger.could_take_over(1) && ledger.assign(0).is_none() && ledger.assign(1).is_some());
    }

    #[test]
    fn an_answer_that_nobody_asked_for_is_refused() {
        let mut ledger = Ledger::new(1, 10);
        let (_, peer) = Fake::new();
        ledger.attach(0, peer);
        assert!(matches!(ledger.answered(0, 0), Err(0)));
        ledger.add(jobs(3));
        while ledger.assign(0).is_some() {}
        assert!(matches!(ledger.answered(0, 1), Err(1)), "answers come in the order of the items");
        assert!(matches!(ledger.answered(0, 0), Ok(Some(_))));
        assert!(matches!(ledger.answered(0, 0), Ok(None)), "the page showed it before");
        assert!(matches!(ledger.answered(0, u64::MAX), Err(u64::MAX)));
    }
}
