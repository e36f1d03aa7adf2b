//! The parts of a queue under loom: every interleaving, and what weak memory allows in each. Whole pipelines are in
//! `tests/models/models.rs`. Run them with `.ci/models`.
use super::desk::{Desk, Seat, outbox};
use super::stop::{self, Pulling, Stop, Worker};
use super::{Bell, Credits, Desks, Turn};
use crate::error::Site;
use crate::monitor::lane::Lane;
use crate::sync::{Arc, AtomicUsize, Mutex, Ordering::*};
use loom::thread::{JoinHandle, spawn};
use std::collections::VecDeque;
use std::time::Instant;

/// Runs `model` in every interleaving, or in those with at most `preemptions` where all are too many.
fn check(name: &str, preemptions: Option<usize>, model: impl Fn() + Send + Sync + 'static) {
    let runs = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let began = Instant::now();
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(preemptions);
    builder.max_branches = 10_000;
    let count = runs.clone();
    builder.check(move || {
        count.fetch_add(1, Relaxed);
        model();
    });
    let bound = builder.preemption_bound.map_or("all".to_owned(), |n| format!("≤ {n} preemptions"));
    println!("{name}: {} interleavings ({bound}), {:.1?}", runs.load(Relaxed), began.elapsed());
}

/// An item that is to be taken once and dropped once.
struct Once {
    number: usize,
    dropped: Arc<Vec<std::sync::atomic::AtomicUsize>>,
}

impl Drop for Once {
    fn drop(&mut self) {
        self.dropped[self.number].fetch_add(1, Relaxed);
    }
}

struct Items(Arc<Vec<std::sync::atomic::AtomicUsize>>);

impl Items {
    fn new(n: usize) -> Self {
        Self(Arc::new((0..n).map(|_| Default::default()).collect()))
    }

    fn get(&self, number: usize) -> Once {
        let dropped = self.0.clone();
        Once { number, dropped }
    }

    fn assert_dropped_once(&self) {
        self.0.iter().for_each(|n| assert_eq!(n.load(Relaxed), 1, "dropped once"));
    }
}

fn lay<I>(seat: &mut Seat<'_, I>, signals: impl IntoIterator<Item = I>) {
    let mut loading = seat.load();
    signals.into_iter().for_each(|signal| loading.put(signal));
}

fn thief(desk: &Arc<Desk<Once>>, times: usize) -> JoinHandle<Vec<usize>> {
    let desk = desk.clone();
    spawn(move || (0..times).flat_map(|_| desk.steal()).map(|signal| signal.number).collect())
}

fn take_all(seat: &mut Seat<'_, Once>) -> Vec<usize> {
    let mut taken = Vec::new();
    while let (Some(signal), _) = seat.next() {
        taken.push(signal.number);
    }
    taken
}

fn sorted(parts: impl IntoIterator<Item = Vec<usize>>) -> Vec<usize> {
    let mut all = parts.into_iter().flatten().collect::<Vec<_>>();
    all.sort_unstable();
    all
}

/// The owner starts, two thieves steal: each signal is one's.
#[test]
fn desk_steal() {
    check("desk: next against two thieves", None, || {
        let items = Items::new(3);
        let desk = Arc::new(Desk::new(3));
        let mut seat = desk.sit();
        lay(&mut seat, (0..3).map(|i| items.get(i)));
        let thieves = [thief(&desk, 1), thief(&desk, 1)];
        let mine = take_all(&mut seat);
        let [a, b] = thieves.map(|thief| thief.join().unwrap());
        assert_eq!(sorted([mine, a, b]), [0, 1, 2]);
        items.assert_dropped_once();
    });
}

/// The slots that a thief is still emptying are not written anew.
#[test]
fn desk_load_again() {
    check("desk: load after load against a thief", None, || {
        let items = Items::new(4);
        let desk = Arc::new(Desk::new(2));
        let mut seat = desk.sit();
        lay(&mut seat, [items.get(0), items.get(1)]);
        let thief = thief(&desk, 2);
        let first = take_all(&mut seat);
        lay(&mut seat, [items.get(2), items.get(3)]);
        let second = take_all(&mut seat);
        assert_eq!(sorted([first, second, thief.join().unwrap()]), [0, 1, 2, 3]);
        items.assert_dropped_once();
    });
}

/// Who ends drops what is left, a thief or the owner.
#[test]
fn desk_clear() {
    check("desk: clear against a thief, while somebody asks", None, || {
        let items = Items::new(2);
        let desk = Arc::new(Desk::new(2));
        let mut seat = desk.sit();
        lay(&mut seat, (0..2).map(|i| items.get(i)));
        let thief = thief(&desk, 1);
        let cursor = desk.cursor();
        let asker = spawn(move || cursor.ask());
        seat.clear();
        asker.join().unwrap();
        thief.join().unwrap();
        items.assert_dropped_once();
    });
}

/// An idle worker finds what is untouched, even while another carries it from desk to desk.
#[test]
fn desks_steal() {
    check("desks: two idle workers", Some(3), || {
        let desks = Arc::new(Desks::new(3, 1));
        lay(&mut desks.sit(0), [7]);
        let idle = |desks: &Desks<usize>, number| {
            let mut seat = desks.sit(number);
            desks.steal(number, &mut seat)
        };
        let other = {
            let desks = desks.clone();
            spawn(move || idle(&desks, 1))
        };
        // nobody starts it, so each gets it: from the first desk, or from the other's
        assert_eq!(idle(&desks, 2), 1);
        assert_eq!(other.join().unwrap(), 1);
        assert_eq!((0..3).filter_map(|i| desks.sit(i).next().0).collect::<Vec<_>>(), [7]);
    });
}

/// A consumer who asked and found nothing is told of the next result.
#[test]
fn desk_ask() {
    check("desk and outbox: ask", None, || {
        let desk = Arc::new(Desk::new(2));
        let mut seat = desk.sit();
        let (mut tray, outbox) = outbox(2);
        lay(&mut seat, [0, 1]);
        let cursor = desk.cursor();
        let consumer = spawn(move || {
            cursor.ask();
            outbox.len()
        });
        let mut told = false;
        for _ in 0..2 {
            let (signal, asked) = seat.next();
            told |= asked;
            tray.put(signal.unwrap());
        }
        let found = consumer.join().unwrap();
        assert!(told || found > 0, "neither told nor found");
    });
}

/// Loading keeps the question that came meanwhile.
#[test]
fn desk_ask_while_loading() {
    check("desk: ask while it is loaded", None, || {
        let desk = Arc::new(Desk::new(1));
        let mut seat = desk.sit();
        let cursor = desk.cursor();
        let asker = spawn(move || cursor.ask());
        lay(&mut seat, [0]);
        let (signal, first) = seat.next();
        assert_eq!(signal, Some(0));
        asker.join().unwrap();
        lay(&mut seat, [1]);
        let (signal, second) = seat.next();
        assert_eq!(signal, Some(1));
        assert!(first || second, "the question was lost");
    });
}

/// A result is sent or fetched, never both, never neither; what is left is dropped.
#[test]
fn outbox_fetch() {
    check("outbox: put and send against fetch", None, || {
        let items = Items::new(4);
        let sent = Arc::new(Mutex::new(VecDeque::new()));
        let (mut tray, outbox) = outbox(2);
        let results = sent.clone();
        let consumer = spawn(move || {
            let mut batch = VecDeque::new();
            outbox.fetch(&results, &mut batch);
            assert!(outbox.len() <= 2);
            outbox.fetch(&results, &mut batch);
            assert!(
                batch.iter().is_sorted_by_key(|item: &Once| item.number),
                "one worker's results are in their order"
            );
            batch.into_iter().map(|item: Once| item.number).collect::<Vec<_>>()
        });
        tray.put(items.get(0));
        tray.put(items.get(1));
        assert_eq!(tray.send(&sent, |_| {}), 2);
        tray.put(items.get(2));
        assert_eq!(tray.send(&sent, |_| {}), 1);
        tray.put(items.get(3));
        let fetched = consumer.join().unwrap();
        drop(tray);
        let got = sent.lock().drain(..).map(|item| item.number).collect();
        let all = sorted([fetched, got]);
        assert!(all == [0, 1, 2] || all == [0, 1, 2, 3], "{all:?}");
        items.assert_dropped_once();
    });
}

/// Two consumers fetch at once.
#[test]
fn outbox_two_fetch() {
    check("outbox: put against two that fetch", None, || {
        let items = Items::new(2);
        let (mut tray, outbox) = outbox(2);
        let consumers = [(), ()].map(|()| {
            let outbox = outbox.clone();
            spawn(move || {
                let mut batch = VecDeque::new();
                outbox.fetch(&Mutex::new(VecDeque::new()), &mut batch);
                batch.into_iter().map(|item: Once| item.number).collect::<Vec<_>>()
            })
        });
        tray.put(items.get(0));
        tray.put(items.get(1));
        let [a, b] = consumers.map(|consumer| consumer.join().unwrap());
        let mut rest = VecDeque::new();
        outbox.fetch(&Mutex::new(VecDeque::new()), &mut rest);
        let rest = rest.into_iter().map(|item| item.number).collect();
        assert_eq!(sorted([a, b, rest]), [0, 1]);
        items.assert_dropped_once();
    });
}

/// Sleeps until the count has reached `level`.
fn sleeper(bell: &Arc<Bell>, count: &Arc<AtomicUsize>, level: usize) -> JoinHandle<()> {
    let (bell, count) = (bell.clone(), count.clone());
    spawn(move || {
        while count.load(Acquire) < level {
            bell.sleep(level, None, || count.load(Acquire) >= level);
        }
    })
}

/// A sleeper is woken when his level is reached, however he lies down.
#[test]
fn bell_reached() {
    check("bell: one sleeper, two steps", None, || {
        let (bell, count) = (Bell::new(), Arc::new(AtomicUsize::new(0)));
        let sleeper = sleeper(&bell, &count, 2);
        for n in 1..=2 {
            count.store(n, Release);
            bell.reached(n);
        }
        sleeper.join().unwrap();
    });
}

/// Sleepers with different levels, one of whom is woken first.
#[test]
fn bell_two_sleepers() {
    check("bell: sleepers at 1 and at 2", Some(3), || {
        let (bell, count) = (Bell::new(), Arc::new(AtomicUsize::new(0)));
        let sleepers = [sleeper(&bell, &count, 1), sleeper(&bell, &count, 2)];
        for n in 1..=2 {
            count.store(n, Release);
            bell.reached(n);
        }
        sleepers.into_iter().for_each(|sleeper| sleeper.join().unwrap());
    });
}

/// Under a lock that the sleeper's `look` takes, looking at one number is enough.
#[test]
fn bell_due_under_a_lock() {
    check("bell: is_due under a lock", None, || {
        let (bell, results) = (Bell::new(), Arc::new(Mutex::new(0)));
        let sleeper = {
            let (bell, results) = (bell.clone(), results.clone());
            spawn(move || {
                while *results.lock() == 0 {
                    bell.sleep(0, None, || *results.lock() > 0);
                }
            })
        };
        let mut sent = results.lock();
        *sent += 1;
        let due = bell.is_due(1);
        drop(sent);
        if due {
            bell.ring();
        }
        sleeper.join().unwrap();
    });
}

/// Takes `n` credits, one after the other; checks the bound.
fn taker(credits: &Arc<Credits>, given: &Arc<AtomicUsize>, n: usize, bound: usize) -> JoinHandle<()> {
    let (credits, given) = (credits.clone(), given.clone());
    spawn(move || {
        let mut patient = true;
        for taken in 0..n {
            while credits.free(taken) == 0 {
                credits.wait(taken, &mut patient);
            }
            assert!(taken < given.load(SeqCst) + bound, "the bound");
        }
    })
}

/// The bound holds, and who waits for a credit gets it.
#[test]
fn credits_give() {
    check("credits: bound 1, three taken", Some(3), || {
        let (credits, given) = (Arc::new(Credits::new(1)), Arc::new(AtomicUsize::new(0)));
        let taker = taker(&credits, &given, 3, 1);
        for n in 1..=2 {
            given.store(n, SeqCst);
            credits.give(n);
            credits.gave();
        }
        taker.join().unwrap();
    });
}

/// Some credits come from the giver, others from beside.
#[test]
fn credits_give_back() {
    check("credits: bound 1, one given, one given back", Some(3), || {
        let (credits, given) = (Arc::new(Credits::new(1)), Arc::new(AtomicUsize::new(0)));
        let taker = taker(&credits, &given, 3, 1);
        let beside = {
            let (credits, given) = (credits.clone(), given.clone());
            spawn(move || {
                given.fetch_add(1, SeqCst);
                credits.give_back(1);
            })
        };
        given.fetch_add(1, SeqCst);
        credits.give(1);
        credits.gave();
        taker.join().unwrap();
        beside.join().unwrap();
    });
}

/// A larger bound lets a waiting taker go on.
#[test]
fn credits_set_bound() {
    check("credits: the bound is raised", None, || {
        let (credits, given) = (Arc::new(Credits::new(1)), Arc::new(AtomicUsize::new(0)));
        let taker = taker(&credits, &given, 2, 2);
        credits.set_bound(2);
        taker.join().unwrap();
    });
}

/// The bound was lowered below what is taken, so that one credit is not enough; they come from two sides.
#[test]
fn credits_lowered() {
    check("credits: three taken, bound lowered to 1", Some(3), || {
        let credits = Arc::new(Credits::new(3));
        credits.set_bound(1);
        let taker = {
            let credits = credits.clone();
            spawn(move || {
                let mut patient = true;
                while credits.free(3) == 0 {
                    credits.wait(3, &mut patient);
                }
            })
        };
        let beside = {
            let credits = credits.clone();
            spawn(move || credits.give_back(1))
        };
        for n in 1..=2 {
            credits.give(n);
            credits.gave();
        }
        beside.join().unwrap();
        taker.join().unwrap();
    });
}

/// Two workers who may not take before they are told to stop.
#[test]
fn stop_while_waiting_for_credits() {
    check("stop: two workers wait for credits", Some(3), || {
        let stop = Arc::<Stop>::default();
        let credits = Arc::new(Credits::new(1));
        let workers = [(), ()].map(|()| {
            let (stop, credits) = (stop.clone(), credits.clone());
            spawn(move || {
                stop::enlist(Worker::new(stop, Bell::new(), Lane::new()));
                let _pulling = Pulling::begin();
                let mut patient = true;
                while !stop::requested() {
                    credits.wait(1, &mut patient);
                }
            })
        });
        stop.request();
        workers.into_iter().for_each(|worker| worker.join().unwrap());
    });
}

/// Two take turns, a third gives up his.
#[test]
fn turn() {
    check("turn: two take it, one of them is stopped", Some(3), || {
        let stop = Arc::<Stop>::default();
        let turn = Arc::new(Turn::new(Site::here("share")));
        #[expect(clippy::arc_with_non_send_sync, reason = "loom watches who is in there")]
        let inside = Arc::new(loom::cell::UnsafeCell::new(0));
        let take = |turn: &Turn, inside: &loom::cell::UnsafeCell<usize>| {
            turn.wait().map(|_turn| {
                inside.with_mut(|_| ()); // loom tells if two are in here
            })
        };
        let worker = {
            let (stop, turn, inside) = (stop.clone(), turn.clone(), inside.clone());
            spawn(move || {
                stop::enlist(Worker::new(stop, Bell::new(), Lane::new()));
                let _pulling = Pulling::begin();
                take(&turn, &inside)
            })
        };
        let other = {
            let (turn, inside) = (turn.clone(), inside.clone());
            spawn(move || take(&turn, &inside))
        };
        stop.request();
        worker.join().unwrap();
        assert!(other.join().unwrap().is_some());
        assert!(take(&turn, &inside).is_some());
    });
}

/// Who waits first comes first, even before who had it last and wants it again.
#[test]
fn turn_in_line() {
    check("turn: one waits, its holder wants it again", Some(3), || {
        let turn = Arc::new(Turn::new(Site::here("share")));
        let taken = Arc::new(AtomicUsize::new(0));
        let held = turn.wait();
        let other = {
            let (turn, taken) = (turn.clone(), taken.clone());
            spawn(move || {
                let _turn = turn.wait();
                taken.store(1, Relaxed);
            })
        };
        let waited = turn.is_waited_for();
        drop(held);
        let again = turn.wait();
        assert!(!waited || taken.load(Relaxed) == 1, "overtaken");
        drop(again);
        other.join().unwrap();
    });
}

/// A worker who is stopped while somebody else holds the turn, for ever, does not wait for him.
#[test]
fn turn_of_a_sleeper() {
    check("turn: stopped while another holds it", None, || {
        let stop = Arc::<Stop>::default();
        let turn = Arc::new(Turn::new(Site::here("share")));
        let held = turn.wait();
        let worker = {
            let (stop, turn) = (stop.clone(), turn.clone());
            spawn(move || {
                stop::enlist(Worker::new(stop, Bell::new(), Lane::new()));
                let _pulling = Pulling::begin();
                assert!(turn.wait().is_none());
            })
        };
        stop.request();
        worker.join().unwrap();
        drop(held);
    });
}
