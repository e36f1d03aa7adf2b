//! Whole pipelines under a model checker: shuttle's random schedules by the thousand, and loom's exhaustive ones where
//! a pipeline is small enough. Time stands still in both, so whoever waits for a wake-up that does not come hangs, and
//! the checker says so. The parts alone are in `tinypl/src/pool/models.rs`. Run them with `.ci/models`.
#[cfg(loom)]
use loom as checker;
#[cfg(shuttle)]
use shuttle as checker;

use checker::sync::{Condvar, Mutex};
use checker::thread::spawn;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use tinypl::pipeline;

/// Runs `model` in all interleavings with at most one preemption.
#[cfg(loom)]
fn check(name: &str, model: impl Fn() + Send + Sync + 'static) {
    let runs = Arc::new(AtomicUsize::new(0));
    let began = std::time::Instant::now();
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(1));
    builder.max_branches = 100_000;
    let count = runs.clone();
    builder.check(move || {
        count.fetch_add(1, SeqCst);
        model();
    });
    println!("{name}: {} interleavings (≤ 1 preemption), {:.1?}", runs.load(SeqCst), began.elapsed());
}

/// Runs `model` in many random interleavings: half by a fair coin, half with few preemptions (PCT).
#[cfg(shuttle)]
fn check(name: &str, model: impl Fn() + Send + Sync + 'static) {
    use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
    let runs = std::env::var("SHUTTLE_RUNS").map_or(4000, |n| n.parse().expect("a number"));
    let began = std::time::Instant::now();
    let model = Arc::new(model);
    let schedulers: [Box<dyn Scheduler + Send>; 2] =
        [Box::new(RandomScheduler::new(runs / 2)), Box::new(PctScheduler::new(4, runs - runs / 2))];
    for scheduler in schedulers {
        let mut config = shuttle::Config::new();
        config.silence_warnings = true;
        config.stack_size = 0x4_0000; // a caught panic prints itself
        let model = model.clone();
        shuttle::Runner::new(scheduler, config).run(move || model());
    }
    println!("{name}: {runs} schedules, {:.1?}", began.elapsed());
}

/// An item that is counted while it lives.
struct Live {
    number: usize,
    live: Arc<AtomicUsize>,
}

impl Live {
    fn new(number: usize, live: &Arc<AtomicUsize>) -> Self {
        live.fetch_add(1, SeqCst);
        Self { number, live: live.clone() }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.live.fetch_sub(1, SeqCst);
    }
}

/// Something that is awaited by the source and set by the consumer.
struct Gate(Mutex<bool>, Condvar);

impl Gate {
    fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(false), Condvar::new()))
    }

    fn wait(&self) {
        let mut open = self.0.lock().unwrap();
        while !*open {
            open = self.1.wait(open).unwrap();
        }
    }

    fn open(&self) {
        *self.0.lock().unwrap() = true;
        self.1.notify_all();
    }
}

fn sorted(mut all: Vec<usize>) -> Vec<usize> {
    all.sort_unstable();
    all
}

/// All items come, once, and never more than `maxsize + workers` are under way.
fn queue(name: &str, items: usize, workers: usize, maxsize: usize) {
    check(name, move || {
        let pulled = Arc::new(AtomicUsize::new(0));
        let count = pulled.clone();
        let source = (0..items).inspect(move |_| {
            count.fetch_add(1, SeqCst);
        });
        let mut pipe = pipeline! { source |> map(|x| x + 1) |> thread::queue(workers = workers, maxsize = maxsize) };
        let mut all = Vec::new();
        loop {
            let ahead = pulled.load(SeqCst) - all.len();
            assert!(ahead <= maxsize + workers, "{ahead} under way");
            match pipe.next() {
                Some(x) => all.push(x),
                None => break,
            }
        }
        assert_eq!(sorted(all), (1..=items).collect::<Vec<_>>());
    });
}

#[cfg(shuttle)]
#[test]
fn queue_of_1() {
    queue("queue, 2 workers, maxsize 1, 3 items", 3, 2, 1);
}

#[test]
fn queue_of_2() {
    queue("queue, 2 workers, maxsize 2, 2 items", 2, 2, 2);
}

#[cfg(shuttle)]
#[test]
fn queue_of_one_worker() {
    queue("queue, 1 worker, maxsize 1, 4 items", 4, 1, 1);
}

#[cfg(shuttle)]
#[test]
fn queue_of_many() {
    queue("queue, 4 workers, maxsize 2, 12 items", 12, 4, 2);
}

/// Chunks: `range` is sure not to wait, so workers take several at once, and steal from one another.
#[test]
fn queue_in_chunks() {
    check("queue in chunks, 2 workers, maxsize 16, 24 items", || {
        let n = if cfg!(loom) { 3 } else { 24 };
        let all: Vec<usize> =
            pipeline! { range(n) |> filter(|x| x % 3 != 1) |> thread::queue(workers = 2, maxsize = 16) |> collect() };
        assert_eq!(sorted(all), (0..n).filter(|x| x % 3 != 1).collect::<Vec<_>>());
    });
}

/// What is filtered out gives its place back: far more of it than there are places.
#[cfg(shuttle)]
#[test]
fn queue_of_the_filtered() {
    check("queue of 1, 15 of 16 items filtered", || {
        let all: Vec<usize> =
            pipeline! { range(16) |> filter(|x| *x == 9) |> thread::queue(workers = 2, maxsize = 1) |> collect() };
        assert_eq!(all, [9]);
    });
}

/// Dropped in the middle, every thread ends and every item is dropped once.
fn dropped(name: &str, taken: usize, maxsize: usize, items: usize) {
    check(name, move || {
        let live = Arc::new(AtomicUsize::new(0));
        let made = live.clone();
        let source = (0..items).map(move |n| Live::new(n, &made));
        let mut pipe = pipeline! { source |> thread::queue(workers = 2, maxsize = maxsize) };
        for _ in 0..taken {
            assert!(pipe.next().is_some_and(|x| x.number < items));
        }
        drop(pipe);
        assert_eq!(live.load(SeqCst), 0, "items that still live");
        assert_eq!(Arc::strong_count(&live), 1, "threads that still hold something");
    });
}

#[test]
fn queue_dropped_at_once() {
    dropped("queue dropped before a pull", 0, 1, 4);
}

#[cfg(shuttle)]
#[test]
fn queue_dropped_in_the_middle() {
    dropped("queue of 1 dropped after a pull", 1, 1, 5);
}

#[cfg(shuttle)]
#[test]
fn larger_queue_dropped_in_the_middle() {
    dropped("queue of 2 dropped after a pull", 1, 2, 3);
}

/// The chunk that a worker or a thief holds is dropped too.
#[cfg(shuttle)]
#[test]
fn chunks_dropped_in_the_middle() {
    check("chunks dropped after some pulls", || {
        let live = Arc::new(AtomicUsize::new(0));
        let items: Vec<_> = (0..30).map(|n| Live::new(n, &live)).collect();
        let mut pipe = pipeline! { items |> filter(|x| x.number % 4 > 0) |> thread::queue(workers = 3, maxsize = 16) };
        for _ in 0..9 {
            assert!(pipe.next().is_some());
        }
        drop(pipe);
        assert_eq!(live.load(SeqCst), 0, "items that still live");
    });
}

/// Ordered, with a filter inside.
#[cfg(shuttle)]
fn ordered(name: &str, window: usize, items: usize) {
    check(name, move || {
        let source = 0..items;
        let all: Vec<usize> = pipeline! {
            source |> o @ order::save(window) |> filter(|x| x % 3 != 1) |> thread::map(|x| x, workers = 2, maxsize = 2)
                |> order::load(o) |> collect()
        };
        assert_eq!(all, (0..items).filter(|x| x % 3 != 1).collect::<Vec<_>>());
    });
}

#[test]
fn order_of_one_worker() {
    check("order of 1, 1 worker, 3 items", || {
        let all: Vec<usize> = pipeline! { 0..3 |> o @ order::save(1) |> thread::map(|x| x, workers = 1, maxsize = 1) |> order::load(o) |> collect() };
        assert_eq!(all, [0, 1, 2]);
    });
}

#[cfg(shuttle)]
#[test]
fn order_of_1() {
    ordered("order of 1, 2 workers, a filtered item", 1, 3);
}

#[cfg(shuttle)]
#[test]
fn order_of_2() {
    ordered("order of 2, 2 workers, a filtered item", 2, 3);
}

#[cfg(shuttle)]
#[test]
fn order_of_3() {
    ordered("order of 3, 12 items", 3, 12);
}

#[cfg(shuttle)]
#[test]
fn order_dropped_in_the_middle() {
    check("order of 2 dropped after a pull", || {
        let live = Arc::new(AtomicUsize::new(0));
        let made = live.clone();
        let source = (0..5).map(move |n| Live::new(n, &made));
        let mut pipe = pipeline! {
            source |> o @ order::save(2) |> thread::map(|x| x, workers = 2, maxsize = 2) |> order::load(o)
        };
        assert_eq!(pipe.next().map(|x| x.number), Some(0));
        drop(pipe);
        assert_eq!(live.load(SeqCst), 0, "items that still live");
    });
}

/// The window is widened while workers wait for it.
#[cfg(shuttle)]
#[test]
fn order_widened() {
    check("order of 1 widened to 2", || {
        let gate = Gate::new();
        let behind = gate.clone();
        pipeline! {
            let mut pipe = 0..3 |> o @ order::save(1)
                |> thread::map(
                    move |x| {
                        // 0 is done when 1 was begun: with a window of 1 that is never
                        if x == 0 { behind.wait() } else { behind.open() }
                        x
                    },
                    workers = 2,
                    maxsize = 2,
                )
                |> order::load(o);
        }
        o.set_maxsize(2);
        assert_eq!(pipe.by_ref().collect::<Vec<_>>(), [0, 1, 2]);
    });
}

/// Item 2 is only there when the result of item 1 was seen; item 0 is filtered out.
#[cfg(shuttle)]
#[test]
fn order_flows_at_once() {
    check("order: a source that waits for the consumer", || {
        let gate = Gate::new();
        let behind = gate.clone();
        let source = (0..3).inspect(move |&x| {
            if x == 2 {
                behind.wait();
            }
        });
        let mut pipe = pipeline! {
            source |> o @ order::save(2) |> filter(|x| *x != 0) |> thread::map(|x| x, workers = 2, maxsize = 2) |> order::load(o)
        };
        assert_eq!(pipe.next(), Some(1));
        gate.open();
        assert_eq!(pipe.next(), Some(2));
        assert_eq!(pipe.next(), None);
    });
}

/// The same without an order.
#[cfg(shuttle)]
#[test]
fn queue_flows_at_once() {
    check("queue: a source that waits for the consumer", || {
        let gate = Gate::new();
        let behind = gate.clone();
        let source = (0..2).inspect(move |&x| {
            if x == 1 {
                behind.wait();
            }
        });
        let mut pipe = pipeline! { source |> thread::queue(workers = 2, maxsize = 2) };
        assert_eq!(pipe.next(), Some(0));
        gate.open();
        assert_eq!(pipe.next(), Some(1));
        assert_eq!(pipe.next(), None);
    });
}

/// `slow` of 20 items, in chunks, is done when so many others were seen.
#[cfg(shuttle)]
fn chunk(name: &str, workers: usize, slow: usize, others: usize) {
    check(name, move || {
        let gate = Gate::new();
        let behind = gate.clone();
        let wait = move |x: usize| {
            if x == slow {
                behind.wait();
            }
            x
        };
        let pipe = pipeline! { range(20) |> map(wait) |> thread::queue(workers = workers, maxsize = 16) };
        let mut seen = 0;
        for _ in pipe {
            seen += 1;
            if seen == others {
                gate.open();
            }
        }
        assert_eq!(seen, 20);
    });
}

/// The consumer gets what is finished, though the worker is still at the rest of the chunk.
#[cfg(shuttle)]
#[test]
fn chunk_flows_at_once() {
    chunk("chunk: an item that waits for the results before it", 1, 12, 12);
}

/// The other worker takes over what lies behind a slow item.
#[cfg(shuttle)]
#[test]
fn chunk_is_taken_over() {
    chunk("chunk: an item that waits for all others", 2, 5, 19);
}

/// Two threads pull one track; one of them stops early.
#[test]
fn shared_track() {
    check("shared track, two pullers", || {
        let mut a = pipeline! { 0..4 |> share() };
        let mut b = a.clone();
        let other = spawn(move || b.next());
        let mut all: Vec<usize> = a.by_ref().take(2).collect();
        all.extend(other.join().unwrap());
        all.extend(a);
        assert_eq!(sorted(all), [0, 1, 2, 3]);
    });
}

/// Two queues pull one track; one is stopped in the middle, the other gets what is left.
#[cfg(shuttle)]
#[test]
fn shared_track_of_queues() {
    check("shared track, two queues, one stopped", || {
        let n = 8;
        let track = pipeline! { 0..n |> share() };
        let other = track.clone();
        let mut a = pipeline! { track |> thread::queue(workers = 1, maxsize = 1) };
        let b = pipeline! { other |> thread::queue(workers = 1, maxsize = 1) };
        a.next();
        a.stop();
        let rest = b.count();
        assert!(rest <= n && rest + 3 >= n, "{rest} of {n}");
    });
}

/// The holder of the turn waits in the source; a queue whose worker waits for its turn ends without him.
#[cfg(shuttle)]
#[test]
fn shared_track_stopped_while_another_waits() {
    check("shared track: stop while another waits in the source", || {
        let [full, inside, behind] = [(); 3].map(|()| Gate::new());
        let gates = [full.clone(), inside.clone(), behind.clone()];
        let source = (0..4).inspect(move |x| match x {
            1 => gates[0].open(),
            2 => {
                gates[1].open();
                gates[2].wait();
            }
            _ => {}
        });
        let mut raw = pipeline! { source |> share() };
        let track = raw.clone();
        let mut queue = pipeline! { track |> thread::queue(workers = 1, maxsize = 1) };
        full.wait(); // now its worker waits for credits
        let other = spawn(move || raw.next());
        inside.wait();
        assert!(queue.next().is_some()); // now for its turn
        drop(queue);
        behind.open();
        assert_eq!(other.join().unwrap(), Some(2));
    });
}

/// A pipeline on a track can be made while another one waits in its source.
#[test]
fn shared_track_started_while_another_waits() {
    check("shared track: start while another waits in the source", || {
        let gate = Gate::new();
        let behind = gate.clone();
        let source = (0..2).inspect(move |_| behind.wait());
        let track = pipeline! { source |> share() };
        let other = track.clone();
        let a = pipeline! { track |> thread::queue(workers = 1, maxsize = 1) };
        let b = pipeline! { other |> thread::queue(workers = 1, maxsize = 1) };
        gate.open();
        drop(a);
        assert!(b.count() <= 2);
    });
}

/// What waits for an item that another holder keeps flows when that is lost, though nothing else comes.
#[cfg(shuttle)]
#[test]
fn shared_track_whose_other_holder_loses_an_item() {
    check("shared track: another holder loses what load waits for", || {
        let behind = Gate::new();
        let gate = behind.clone();
        let source = (0..3).inspect(move |x| {
            if *x == 2 {
                gate.wait()
            }
        });
        pipeline! { let track = source |> o @ order::save(4) |> thread::queue(workers = 1, maxsize = 2) |> share(); }
        let kept = track.clone();
        pipeline! { let keeper = kept |> take(1) |> k @ thread::queue(workers = 1, maxsize = 1); }
        while k.fill() == 0 {
            checker::thread::yield_now();
        }
        let mut loaded = pipeline! { track |> order::load(o) };
        let other = spawn(move || drop(keeper));
        assert_eq!(loaded.next(), Some(1));
        behind.open();
        other.join().unwrap();
        assert_eq!((loaded.next(), loaded.next()), (Some(2), None));
    });
}

/// An `Err` in one worker is the consumer's error, whatever the others do.
#[test]
fn error_in_a_worker() {
    check("an error in one of two workers", || {
        let fail = |x: usize| if x == 1 { Err("no") } else { Ok(x) };
        let mut pipe = pipeline! { 0..4 |> try_map(fail) |> thread::queue(workers = 2, maxsize = 1) };
        let mut got = Vec::new();
        let error = loop {
            match pipe.try_next() {
                Ok(Some(x)) => got.push(x),
                Ok(None) => panic!("the error was lost"),
                Err(error) => break error,
            }
        };
        assert_eq!((error.message(), error.item()), ("no", Some(1)));
        assert!(got.iter().all(|x| *x != 1));
    });
}

/// A panic inside an ordered region is an error, and no hang.
#[test]
fn panic_in_an_order() {
    check("a panic between save and load", || {
        let panics = |x: usize| {
            if x == 1 {
                std::panic::resume_unwind(Box::new("no")); // without the hook's noise
            }
            x
        };
        let all = pipeline! {
            0..4 |> o @ order::save(2) |> thread::map(panics, workers = 2, maxsize = 2) |> order::load(o)
                |> try_collect::<Vec<_>>()
        };
        assert_eq!(all.unwrap_err().message(), "panicked: no");
    });
}

/// A panicking source.
#[test]
fn panic_in_the_source() {
    check("a panic in the source", || {
        let source = (0..3).inspect(|x| {
            if *x == 1 {
                std::panic::resume_unwind(Box::new("no"));
            }
        });
        let all = pipeline! { source |> thread::queue(workers = 2, maxsize = 2) |> try_collect::<Vec<_>>() };
        assert_eq!(all.unwrap_err().message(), "panicked: no");
    });
}

/// Stopped while workers wait for the window, which nobody closes.
#[test]
fn stop_at_the_window() {
    check("stop while workers wait for the window", || {
        let mut pipe = pipeline! {
            0..9 |> o @ order::save(1) |> thread::map(|x| x, workers = 2, maxsize = 4) |> order::load(o)
        };
        pipe.stop();
        assert_eq!(pipe.next(), None);
    });
}

/// Stopped while the outer workers wait for the inner ones, and those for credits.
#[cfg(shuttle)]
#[test]
fn stop_nested_queues() {
    check("stop nested queues", || {
        let n = 9;
        let mut pipe = pipeline! {
            0..n |> thread::queue(workers = 1, maxsize = 1) |> thread::queue(workers = 2, maxsize = 1)
        };
        assert!(pipe.next().is_some());
        pipe.stop();
        assert_eq!(pipe.next(), None);
    });
}

/// Nested queues give everything.
#[cfg(shuttle)]
#[test]
fn nested_queues() {
    check("nested queues", || {
        let n = 9;
        let all: Vec<usize> = pipeline! {
            0..n |> thread::queue(workers = 1, maxsize = 1) |> thread::queue(workers = 2, maxsize = 1) |> collect()
        };
        assert_eq!(sorted(all), (0..n).collect::<Vec<_>>());
    });
}

/// One track of an order is loaded, another is not: what leaves there is not waited for.
#[test]
fn order_on_a_shared_track() {
    check("order of 1, shared, loaded by one of two", || {
        pipeline! { let mut raw = 0..3 |> o @ order::save(1) |> share(); }
        let track = raw.clone();
        let other = spawn(move || raw.next());
        let mut all: Vec<usize> = pipeline! { track |> order::load(o) |> collect() };
        all.extend(other.join().unwrap());
        assert_eq!(sorted(all), [0, 1, 2]);
    });
}

/// A queue between `save` and `load` is dropped with items in it: another puller of the track goes on.
#[test]
fn order_with_a_queue_dropped() {
    check("order of 2, shared, a queue below it dropped", || {
        pipeline! { let track = 0..6 |> o @ order::save(2) |> share(); }
        let raw = track.clone();
        let mut pipe = pipeline! { track |> thread::queue(workers = 1, maxsize = 2) |> order::load(o) };
        assert!(pipe.next().is_some());
        drop(pipe);
        assert!(raw.count() <= 5);
    });
}
