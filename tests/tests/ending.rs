//! Whatever ends first, at any moment: nothing hangs, all threads are joined, all items dropped, and a failure reaches the
//! consumer as one error that says what and where.
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::time::Duration;
use tinypl::{Error, OnWorkerError, Pipe, Pipeline, pipeline, range, thread};
use tinypl_tests::{
    Gate, Random, Tally, Thing, alone, child, is_child, linger, logged, record, rounds, uneven, wait_until, watchdog,
    work, workers,
};

const HOUR: Duration = Duration::from_secs(3600);

/// What a test's pipelines used, and must have let go.
#[derive(Default)]
struct Used {
    items: Tally,
    functions: Arc<()>,
}

impl Used {
    fn new() -> Self {
        Self::default()
    }

    /// A function for workers; it can be told whether it is still somewhere.
    fn function(&self) -> impl Fn(Thing) -> Thing + Send + Sync + Clone + use<> {
        let alive = self.functions.clone();
        move |x| {
            let _ = &alive;
            work(uneven(x.n) / 5);
            x
        }
    }

    /// That all is gone: functions (with the threads that ran them) and items at once, and no thread is left.
    #[track_caller]
    fn assert_gone(&self) {
        assert_eq!(Arc::strong_count(&self.functions), 1, "somebody holds a function");
        self.items.assert_all_dropped();
        wait_until(|| workers().is_none_or(|n| n == 0));
    }
}

/// Pulls until the error, which must be the same ever after. How many items came before it?
#[track_caller]
fn failure<P: Pipe>(pipe: &mut Pipeline<P>) -> (Vec<P::Item>, Error) {
    let mut items = Vec::new();
    loop {
        match pipe.try_next() {
            Ok(Some(x)) => items.push(x),
            Ok(None) => panic!("an end without an error"),
            Err(error) => {
                for _ in 0..2 {
                    let again = pipe.try_next().err().expect("the error again");
                    assert_eq!(again.to_string(), error.to_string());
                }
                return (items, error);
            }
        }
    }
}

/// That the error says all of this.
#[track_caller]
fn assert_says(error: &Error, what: &str, stage: &str, line: u32, item: Option<u64>) {
    assert_eq!(error.message(), what, "{error}");
    assert_eq!(error.stage(), Some(stage), "{error}");
    assert_eq!(error.item(), item, "{error}");
    let place = error.location().unwrap_or_else(|| panic!("it says no place: {error}"));
    assert_eq!((place.file(), place.line()), (file!(), line), "{error}");
}

/// How a pipeline is brought to an end.
fn cut<P: Pipe>(mut pipe: Pipeline<P>, how: u64) {
    match how {
        0 => drop(pipe),
        1 => {
            pipe.stop();
            assert!(matches!(pipe.try_next(), Ok(None)));
            pipe.stop();
        }
        _ => {
            // by a panic of the consumer
            let unwound = catch_unwind(AssertUnwindSafe(|| {
                let _pipe = pipe;
                std::panic::resume_unwind(Box::new("enough"));
            }));
            assert!(unwound.is_err());
        }
    }
}

/// A thousand random moments, over several shapes.
#[test]
fn cut_anywhere() {
    let (_alone, _watchdog) = (alone(), watchdog(600));
    let mut random = Random::new(1);
    for round in 0..rounds(1000) {
        let used = Used::new();
        let (things, f) = (used.items.things(), used.function());
        let (w, max, window) = (random.size(3), random.size(40), random.size(40));
        let how = random.below(3);
        let take = random.one_of(&[0, 0, 1, 5, 50, 300]);
        let take = random.below(take + 1) as usize;
        // now and then something has time to fill up, or to run dry
        let pause = random.one_of(&[0, 0, 0, 20, 200]);
        macro_rules! run {
            ($pipe:expr) => {{
                let mut pipe = $pipe;
                pipe.by_ref().take(take).for_each(drop);
                work(pause);
                cut(pipe, how);
            }};
        }
        match round % 12 {
            0 => run!(pipeline! { things |> thread::map(f, w, max) }),
            // an end is near
            1 => run!(pipeline! { things |> take(take + random.size(10)) |> thread::map(f, w, max) }),
            2 => run!(pipeline! { things |> o @ order::save(window) |> thread::map(f, w, max) |> order::load(o) }),
            3 => run!(pipeline! {
                things |> o @ order::save(window) |> map(f) |> filter(|x| x.n % 3 > 0) |> thread::queue(w, max)
                    |> order::load(o)
            }),
            // the workers are slower than the consumer: the queue is empty
            4 => run!(pipeline! { things |> thread::map(|x| { work(30); x }, w, max) |> thread::map(f, 1, 1) }),
            // nested queues and orders
            5 => run!(pipeline! {
                things |> a @ order::save(window) |> thread::map(f.clone(), w, max) |> b @ order::save(5)
                    |> thread::map(f, 2, 3) |> order::load(b) |> order::load(a)
            }),
            // the window is full: nobody loads
            6 => {
                pipeline! { let mut pipe = things |> o @ order::save(window) |> thread::map(f, w, max); }
                let loaded = pipeline! { &mut pipe |> order::load(o) |> take(take) |> count() };
                assert_eq!(loaded, take);
                work(pause);
                cut(pipe, how);
            }
            // rate-limited: an hour has no more than `take` places
            7 => run!(pipeline! { things |> ratelimit(take + 1, HOUR) |> thread::map(f, w, max) }),
            8 => run!(pipeline! {
                things |> marker::insert_periodic(3) |> o @ order::save(window) |> thread::map(f, w, max)
                    |> order::load(o) |> partition(4, markers = after) |> thread::queue(2, 3) |> flatten()
            }),
            9 => {
                pipeline! {
                    let shared = things |> thread::map(f.clone(), w, max);
                    let one = shared |> thread::map(f.clone(), 2, max);
                    let two = shared |> o @ order::save(window) |> thread::map(f, 1, 3) |> order::load(o);
                }
                drop(shared);
                let mut two = two;
                two.by_ref().take(take).for_each(drop);
                cut(one, how);
                // it goes on without the other
                two.by_ref().take(3).for_each(drop);
                cut(two, how);
            }
            10 => {
                let (seen, f) = (AtomicUsize::new(0), f);
                let f = |x| {
                    seen.fetch_add(1, SeqCst);
                    f(x)
                };
                std::thread::scope(|s| run!(pipeline! { things |> thread::map(f, w, max, scope = s) }));
            }
            // items that are pipelines themselves, with threads of their own
            _ => run!(pipeline! {
                things
                    |> map(move |x| { let f = f.clone(); pipeline! { [x] |> thread::map(f, 1, 2) } })
                    |> thread::queue(w, 3)
            }),
        }
        used.assert_gone();
    }
}

/// The same, and all threads run while another one ends it.
#[test]
fn cut_by_another_thread() {
    let (_alone, _watchdog) = (alone(), watchdog(300));
    let mut random = Random::new(2);
    for _ in 0..rounds(60) {
        let used = Used::new();
        let (f, pause) = (used.function(), random.below(300));
        let mut pipe = pipeline! {
            used.items.things() |> o @ order::save(9) |> thread::map(f.clone(), 2, 8) |> thread::map(f, 2, 8) |> order::load(o)
        };
        pipe.next();
        std::thread::spawn(move || {
            work(pause);
            drop(pipe);
        })
        .join()
        .unwrap();
        used.assert_gone();
    }
}

#[test]
fn a_stop_waits_for_the_items_at_hand() {
    let (_alone, _watchdog) = (alone(), watchdog(300));
    let (begun, ended) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let gate = Gate::new();
    let f = {
        let (begun, ended, gate) = (begun.clone(), ended.clone(), gate.clone());
        move |x| {
            begun.fetch_add(1, SeqCst);
            gate.pass();
            ended.fetch_add(1, SeqCst);
            x
        }
    };
    let mut pipe = pipeline! { range(100) |> thread::map(f, workers = 3) };
    wait_until(|| gate.waiting() == 3);
    std::thread::scope(|s| {
        let stop = s.spawn(|| pipe.stop());
        linger();
        assert!(!stop.is_finished());
        gate.open();
    });
    // what is finished of it is not given any more
    assert_eq!((ended.load(SeqCst), pipe.next()), (begun.load(SeqCst), None));
}

#[test]
fn after_its_end_a_pipeline_stays_at_it() {
    let (_alone, _watchdog) = (alone(), watchdog(300));
    pipeline! { let mut pipe = range(3) |> q @ thread::queue(workers = 2); }
    assert_eq!(pipe.by_ref().count(), 3);
    wait_until(|| workers().is_none_or(|n| n == 0));
    assert_eq!(q.workers(), 0);
    for _ in 0..3 {
        assert_eq!(pipe.next(), None);
        assert!(matches!(pipe.try_next(), Ok(None)));
    }
    pipe.stop();
    assert_eq!(pipe.next(), None);
}

/// Handles keep nothing alive.
#[test]
fn handles_outlive_their_pipeline() {
    let (_alone, _watchdog) = (alone(), watchdog(300));
    let used = Used::new();
    let f = used.function();
    pipeline! {
        let pipe = used.items.things() |> r @ ratelimit(5, HOUR) |> o @ order::save(4) |> q @ thread::map(f, 2, 8)
            |> order::load(o);
    }
    drop(pipe);
    used.assert_gone();
    o.set_maxsize(100);
    assert_eq!((q.workers(), q.maxsize(), o.maxsize()), (0, 8, 100));
    assert!(r.time_to_next_drop() <= HOUR);
}

/// A panic of the worker's function at a random item, in shapes that each have something else to wake.
#[test]
fn a_panic_in_a_worker() {
    let (_alone, _watchdog) = (alone(), watchdog(300));
    let mut random = Random::new(3);
    for round in 0..rounds(200) {
        let used = Used::new();
        let things = used.items.things();
        let (w, max, window, bad) = (random.size(3), random.size(40), random.size(40), random.below(600));
        let alive = used.functions.clone();
        let f = move |x: Thing| {
            let _ = &alive;
            assert!(x.n != bad, "no {bad}");
            x
        };
        let (items, error, line, in_order) = match round % 6 {
            0 => {
                let (mut pipe, line) = (pipeline! { things |> thread::map(f, w, max) }, line!());
                let (items, error) = failure(&mut pipe);
                (items, error, line, false)
            }
            1 => {
                pipeline! { let mut pipe = things |> o @ order::save(window) |> thread::map(f, w, max) |> order::load(o); }
                let (items, error) = failure(&mut pipe);
                (items, error, line!() - 2, true)
            }
            // in the queue above
            2 => {
                let g = used.function();
                pipeline! { let above = things |> o @ order::save(window) |> thread::map(f, w, max); }
                let line = line!() - 1;
                let (items, error) = failure(&mut pipeline! { above |> thread::map(g, 2, 3) |> order::load(o) });
                (items, error, line, true)
            }
            // in the queue below
            3 => {
                let g = used.function();
                pipeline! { let above = things |> o @ order::save(window) |> thread::map(g, 2, 3); }
                let (mut pipe, line) = (pipeline! { above |> thread::map(f, w, max) |> order::load(o) }, line!());
                let (items, error) = failure(&mut pipe);
                (items, error, line, true)
            }
            // among markers, and where one thread at a time pulls
            4 => {
                pipeline! { let above = things |> marker::insert_periodic(3) |> thread::map(f, w, max); }
                let line = line!() - 1;
                let (items, error) = failure(&mut pipeline! { above |> thread::mutex() |> thread::queue(3, max) });
                (items, error, line, false)
            }
            _ => {
                let ((items, error), line) = std::thread::scope(|s| {
                    let (mut pipe, line) = (pipeline! { things |> thread::map(f, w, max, scope = s) }, line!());
                    (failure(&mut pipe), line)
                });
                (items, error, line, false)
            }
        };
        // where other queues or stages with state lie between, the item is as many as were pulled there
        assert_eq!(error.message(), format!("panicked: no {bad}"));
        assert!(error.is_panic());
        assert_eq!((error.stage(), error.location().map(|at| at.line())), (Some("thread::map"), Some(line)));
        if round % 6 != 3 && round % 6 != 4 {
            assert_eq!(error.item(), Some(bad));
        }
        let numbers: Vec<u64> = items.iter().map(|x| x.n).collect();
        assert!(!numbers.contains(&bad));
        if in_order {
            assert!(numbers.iter().copied().eq(0..numbers.len() as u64), "{numbers:?}");
        }
        drop(items);
        used.assert_gone();
    }
}

/// The threads end with the error, not only with the pipeline.
#[test]
fn after_a_panic_all_workers_have_ended() {
    let (_alone, _watchdog) = (alone(), watchdog(300));
    let f = |x| if x == 77 { panic!("no 77") } else { x };
    pipeline! { let mut pipe = 0.. |> thread::map(f, 2) |> q @ thread::queue(3) |> r @ thread::queue(2); }
    let (_, error) = failure(&mut pipe);
    assert_says(&error, "panicked: no 77", "thread::map", line!() - 2, Some(77));
    assert_eq!((q.workers(), r.workers()), (0, 0));
    drop(pipe);
}

#[test]
fn each_face_of_the_pipeline_fails() {
    let (_alone, _watchdog) = (alone(), watchdog(300));
    let pipe = || pipeline! { range(100) |> thread::map(|x| if x == 50 { panic!("no 50") } else { x }, 2) };
    let says = |result: std::thread::Result<usize>| {
        let text = *result.unwrap_err().downcast::<String>().unwrap();
        assert!(text.starts_with("panicked: no 50 (in `thread::map` at "), "{text}");
        assert!(text.ends_with(", item 50)"), "{text}");
    };
    says(catch_unwind(|| pipe().collect::<Vec<_>>().len()));
    says(catch_unwind(|| pipe().count()));
    says(catch_unwind(|| pipe().fold(0, |n, _| n + 1)));
    says(catch_unwind(|| pipeline! { pipe() |> map(|x| x) |> filter(|_| true) |> count() }));
    says(catch_unwind(|| {
        let mut n = 0;
        for _ in pipe() {
            n += 1;
        }
        n
    }));
    let error = pipe().try_collect::<Vec<_>>().unwrap_err();
    assert_eq!((error.message(), error.item()), ("panicked: no 50", Some(50)));
    let error: Error = pipe().try_for_each(|_| Ok(())).unwrap_err();
    assert_eq!((error.message(), error.item()), ("panicked: no 50", Some(50)));
}

/// Its lock is held at that moment, and nobody waits for it in vain.
#[test]
fn a_panic_in_the_source() {
    let (_alone, _watchdog) = (alone(), watchdog(300));
    let mut random = Random::new(4);
    for _ in 0..rounds(50) {
        let used = Used::new();
        let (f, bad) = (used.function(), random.below(100));
        let things = used.items.things().inspect(move |x| assert!(x.n != bad, "no {bad}"));
        let (mut pipe, line) = (pipeline! { things |> thread::map(f.clone(), 3, 5) |> thread::map(f, 2) }, line!());
        let (items, error) = failure(&mut pipe);
        assert_says(&error, &format!("panicked: no {bad}"), "source", line, Some(bad));
        drop((items, pipe));
        used.assert_gone();
    }
}

#[test]
fn a_panic_in_a_workers_init() {
    let (_alone, _watchdog) = (alone(), watchdog(300));
    let init = || -> u64 { panic!("no state") };
    let (mut pipe, line) = (pipeline! { range(100) |> thread::map_init(init, |s, x| *s + x, workers = 1) }, line!());
    let (items, error) = failure(&mut pipe);
    assert_says(&error, "panicked: no state", "thread::map_init", line, Some(0));
    assert!(items.is_empty());

    let f = |_: &mut u8, x: u64| if x == 20 { panic!("no 20") } else { x };
    let (mut pipe, line) = (pipeline! { range(100) |> thread::map_init(|| 0, f, workers = 3) }, line!());
    let (_, error) = failure(&mut pipe);
    assert_says(&error, "panicked: no 20", "thread::map_init", line, Some(20));
}

#[test]
fn a_panic_in_each_stage_that_workers_run() {
    let (_alone, _watchdog) = (alone(), watchdog(300));
    fn not_30(x: &u64) {
        assert!(*x != 30, "no 30");
    }
    macro_rules! says {
        ($stage:literal, $pipe:expr) => {{
            let (mut pipe, line) = ($pipe, line!());
            let (_, error) = failure(&mut pipe);
            assert_says(&error, "panicked: no 30", $stage, line, Some(30));
        }};
    }
    says!("map", pipeline! { range(100) |> map(|x| { not_30(&x); x }) |> thread::queue(2) });
    says!("filter", pipeline! { range(100) |> filter(|x| { not_30(x); true }) |> thread::queue(2) });
    says!("filter_map", pipeline! { range(100) |> filter_map(|x| { not_30(&x); Some(x) }) |> thread::queue(2) });
    says!("each", pipeline! { range(100) |> each(not_30) |> thread::queue(2) });
    says!("thread::each", pipeline! { range(100) |> thread::each(not_30, workers = 2) });
    says!("try_map", pipeline! { range(100) |> try_map(|x| { not_30(&x); Ok::<_, Error>(x) }) |> thread::queue(2) });
    says!("thread::map", Pipeline::new(thread::map(range(0, 100), |x| not_30(&x)).workers(2)));
    // a stage with state, under its lock
    let mut seen = 0;
    let count = move |x: u64| {
        seen += 1;
        not_30(&x);
        x + seen
    };
    says!("map", pipeline! { range(100) |> map(count) |> thread::mutex() |> thread::queue(2) });
}

#[test]
fn a_panic_of_a_marker() {
    let (_alone, _watchdog) = (alone(), watchdog(300));
    let left = AtomicUsize::new(10);
    let f = move || assert!(left.fetch_sub(1, SeqCst) > 1, "no tenth marker");
    pipeline! {
        let mut pipe = range(1000) |> m @ marker::insert_periodic(4) |> marker::on(f, m) |> thread::queue(workers = 1);
    }
    let line = line!() - 2;
    let (_, error) = failure(&mut pipe);
    // it is no item's
    assert_says(&error, "panicked: no tenth marker", "marker::on", line, None);
}

/// All tracks get the same error, on whichever thread it happened.
#[test]
fn a_panic_above_a_shared_track() {
    let (_alone, _watchdog) = (alone(), watchdog(300));
    for _ in 0..rounds(30) {
        let used = Used::new();
        let f = used.function();
        let things = used.items.things();
        pipeline! {
            let mut shared = things |> map(|x| { assert!(x.n != 60, "no 60"); x });
            let mut one = shared |> thread::map(f.clone(), 2, 3);
            let mut two = shared |> o @ order::save(5) |> thread::map(f, 2, 3) |> order::load(o);
        }
        let line = line!() - 4;
        let (errors, three) = std::thread::scope(|s| {
            let one = s.spawn(|| failure(&mut one).1);
            let two = s.spawn(|| failure(&mut two).1);
            ([one.join().unwrap(), two.join().unwrap()], failure(&mut shared).1)
        });
        for error in errors.iter().chain([&three]) {
            assert_says(error, "panicked: no 60", "map", line, Some(60));
        }
        drop((shared, one, two));
        used.assert_gone();
    }
}

/// What is before it comes in order, then the error; nothing after it.
#[test]
fn a_panic_inside_an_order() {
    let (_alone, _watchdog) = (alone(), watchdog(300));
    for round in 0..rounds(60) {
        let bad = 37 * round % 500;
        let f = move |x| if x == bad { panic!("no {x}") } else { x };
        pipeline! {
            let mut pipe = 0..
                |> a @ order::save(20)
                |> thread::queue(2, 4)
                |> b @ order::save(7)
                |> thread::map(f, 3, 4)
                |> filter(|x| x % 2 == 0)
                |> order::load(b)
                |> order::load(a);
        }
        let (items, error) = failure(&mut pipe);
        assert_eq!(error.message(), format!("panicked: no {bad}"));
        assert!(items.iter().copied().eq((0..items.len() as u64).map(|x| 2 * x)), "{items:?}");
        assert!(items.last().is_none_or(|last| *last < bad));
    }
}

/// One of them is the error, for all who ask.
#[test]
fn panics_of_two_workers_at_once() {
    let (_alone, _watchdog) = (alone(), watchdog(300));
    for _ in 0..rounds(100) {
        let used = Used::new();
        let (alive, meet) = (used.functions.clone(), Barrier::new(2));
        let f = move |x: Thing| {
            let _ = &alive;
            if x.n == 20 || x.n == 21 {
                meet.wait();
                panic!("no {}", x.n);
            }
            x
        };
        let (mut pipe, line) = (pipeline! { used.items.things() |> thread::map(f, 2, 8) |> thread::queue(2) }, line!());
        let (items, error) = failure(&mut pipe);
        let n = error.item().unwrap();
        assert!(n == 20 || n == 21);
        assert_says(&error, &format!("panicked: no {n}"), "thread::map", line, Some(n));
        assert!(items.iter().all(|x| x.n < 20 || x.n > 21));
        drop((items, pipe));
        used.assert_gone();
    }
}

/// An item whose `Drop` panics if it is told so.
struct Grenade {
    thing: Thing,
    live: bool,
}

impl Drop for Grenade {
    fn drop(&mut self) {
        if self.live && !std::thread::panicking() {
            panic!("{} went off", self.thing.n);
        }
    }
}

fn grenades(items: &Tally, n: u64, live: u64) -> Vec<Grenade> {
    (0..n).map(|n| Grenade { thing: items.thing(n), live: n == live }).collect()
}

/// A worker drops it, as the filter says.
#[test]
fn a_panic_in_an_items_drop() {
    let (_alone, _watchdog) = (alone(), watchdog(300));
    for live in [0, 7, 400] {
        let used = Used::new();
        let all = grenades(&used.items, 1000, live);
        let (mut pipe, line) = (pipeline! { all |> filter(|x| !x.live) |> thread::queue(2, 50) }, line!());
        let (items, error) = failure(&mut pipe);
        assert_eq!(error.message(), format!("panicked: {live} went off"));
        // where it was dropped: maybe not in a stage's function
        assert!(error.location().is_none_or(|at| at.line() == line), "{error}");
        drop((items, pipe));
        used.assert_gone();
    }
}

/// It lies on the desk of a worker which a panic ends.
#[test]
fn a_panic_in_the_drop_of_an_item_that_is_left_over() {
    let (_alone, _watchdog) = (alone(), watchdog(300));
    for round in 0..rounds(30) {
        for w in [1, 2] {
            let used = Used::new();
            let bad = 1000 + 61 * round;
            let all = grenades(&used.items, 6000, bad + 1 + round % 3);
            let f = move |x: Grenade| {
                assert!(x.thing.n != bad, "no {bad}");
                x
            };
            let (mut pipe, line) = (pipeline! { all |> thread::map(f, w, 3000) }, line!());
            let (mut items, error) = failure(&mut pipe);
            // one of the two; as a rule the first
            if error.message() == format!("panicked: no {bad}") {
                assert_says(&error, &format!("panicked: no {bad}"), "thread::map", line, Some(bad));
            } else {
                assert!(error.message().ends_with("went off"), "{error}");
            }
            items.iter_mut().for_each(|x| x.live = false);
            drop(items);
            let _ = catch_unwind(AssertUnwindSafe(|| drop(pipe)));
            used.assert_gone();
        }
    }
}

/// It lies among the results, and whoever ends the pipeline drops it: his is the panic, and all the rest is still done.
#[test]
fn a_panic_in_the_drop_of_a_result() {
    let (_alone, _watchdog) = (alone(), watchdog(300));
    for round in 0..rounds(100) {
        let used = Used::new();
        let f = {
            let alive = used.functions.clone();
            move |x| {
                let _ = &alive;
                x
            }
        };
        let all = grenades(&used.items, 1000, round * 7 % 300);
        let mut pipe = pipeline! { all |> o @ order::save(150) |> thread::map(f, 2, 200) |> thread::queue(2, 20) |> order::load(o) };
        pipe.by_ref().take(round as usize).for_each(|mut x| x.live = false);
        let _ = catch_unwind(AssertUnwindSafe(|| drop(pipe)));
        used.assert_gone();
    }
}

#[derive(Debug)]
struct Bad(u64);

impl fmt::Display for Bad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is bad", self.0)
    }
}

impl std::error::Error for Bad {}

#[test]
fn an_err_in_a_worker() {
    let (_alone, _watchdog) = (alone(), watchdog(300));
    for ordered in [false, true] {
        let used = Used::new();
        let g = used.function();
        let f = |x: Thing| if x.n == 300 { Err(Bad(x.n)) } else { Ok(x) };
        let things = used.items.things();
        let ((items, error), line) = if ordered {
            pipeline! { let pipe = things |> o @ order::save(9) |> map(g) |> try_map(f) |> thread::queue(3, 9); }
            let line = line!() - 1;
            (failure(&mut pipeline! { pipe |> thread::queue(2) |> order::load(o) }), line)
        } else {
            let (mut pipe, line) = (pipeline! { things |> map(g) |> try_map(f) |> thread::queue(2, 20) }, line!());
            (failure(&mut pipe), line)
        };
        assert_says(&error, "300 is bad", "try_map", line, Some(300));
        assert!(!error.is_panic());
        let source = std::error::Error::source(&error).expect("the `Err` itself");
        assert_eq!(source.downcast_ref::<Bad>().map(|bad| bad.0), Some(300));
        assert!(!ordered || items.iter().map(|x| x.n).eq(0..items.len() as u64));
        drop(items);
        used.assert_gone();
    }
}

#[test]
fn a_scope_lends_its_data() {
    let (_alone, _watchdog) = (alone(), watchdog(300));
    let text: Vec<String> = (0..500).map(|n| n.to_string()).collect();
    let seen = Mutex::new(0);
    for round in 0..rounds(50) {
        let n: usize = std::thread::scope(|s| {
            let f = |word: &String| {
                *seen.lock().unwrap() += 1;
                word.len()
            };
            let mut pipe = pipeline! {
                &text |> o @ order::save(8) |> thread::map(f, 2, 9, scope = s) |> thread::queue(2, scope = s)
                    |> order::load(o)
            };
            match round % 3 {
                0 => pipe.sum(),
                // early
                1 => pipe.by_ref().take(7).sum(),
                _ => {
                    pipe.stop();
                    pipe.sum()
                }
            }
        });
        assert_eq!(n, [1390, 7, 0][round as usize % 3]);
    }
    assert!(seen.into_inner().unwrap() >= 500);
}

#[test]
fn a_panic_of_the_consumer_in_a_scope() {
    let (_alone, _watchdog) = (alone(), watchdog(300));
    let used = Used::new();
    let f = used.function();
    let unwound = catch_unwind(AssertUnwindSafe(|| {
        std::thread::scope(|s| {
            let things = used.items.things();
            let pipe = pipeline! { things |> thread::map(&f, 2, 9, scope = s) };
            for x in pipe {
                assert!(x.n < 30, "enough");
            }
        });
    }));
    assert!(unwound.is_err());
    drop(f);
    used.assert_gone();
}

/// What was logged of stages at this line.
fn logged_at(line: u32) -> Vec<(log::Level, String)> {
    logged(&[&format!("{}:{line}:", file!())])
}

/// Once each time that the consumer waits.
#[test]
fn a_queue_warns_when_its_consumer_waits() {
    let (_alone, _watchdog) = (alone(), watchdog(300));
    record();
    let (feed, numbers) = mpsc::channel();
    let limit = Duration::from_millis(20);
    let (mut pipe, line) = (pipeline! { numbers |> thread::queue(workers = 2, warn_timeout = limit) }, line!());
    for x in 1..=3 {
        std::thread::scope(|s| {
            let consumer = s.spawn(|| pipe.next());
            wait_until(|| logged_at(line).len() == x);
            std::thread::sleep(2 * limit);
            feed.send(x).unwrap();
            assert_eq!(consumer.join().unwrap(), Some(x));
        });
        assert_eq!(logged_at(line).len(), x);
    }
    let (level, text) = logged_at(line).remove(0);
    assert_eq!(level, log::Level::Warn);
    assert!(text.starts_with("`thread::queue` at ") && text.contains("20ms"), "{text}");
    drop(feed);
    assert_eq!(pipe.next(), None);
}

/// A stop waits no longer than that, says so, and leaves behind who doesn't come.
#[test]
fn a_stop_with_a_limit_leaves_a_worker_behind() {
    let (_alone, _watchdog) = (alone(), watchdog(300));
    record();
    for dropped in [false, true] {
        let used = Used::new();
        let (gate, f) = (Gate::new(), used.function());
        let wait = gate.clone();
        let f = move |x: Thing| {
            if x.n == 5 {
                wait.pass();
            }
            f(x)
        };
        let limit = Duration::from_millis(30);
        let things = used.items.things();
        let (mut pipe, line) =
            (pipeline! { things |> thread::map(f, 2, 50, end_timeout = limit) |> map(|x| x) }, line!());
        wait_until(|| gate.waiting() == 1);
        if dropped {
            drop(pipe);
        } else {
            pipe.stop();
            let (items, error) = failure(&mut pipe);
            let what = "1 of 2 workers were still at their item 30ms after the stop, and were left behind";
            assert_says(&error, what, "thread::map", line, None);
            assert!(items.is_empty());
        }
        let records = logged_at(line);
        assert_eq!(records.len(), 1 + usize::from(dropped));
        assert_eq!(records[0].0, log::Level::Error);
        assert!(records[0].1.contains("left behind"), "{records:?}");
        // it comes later after all, and then all is cleared away
        gate.open();
        wait_until(|| Arc::strong_count(&used.functions) == 1);
        wait_until(|| used.items.counts().0 == used.items.counts().1);
        used.assert_gone();
    }
}

#[test]
fn a_stop_with_a_limit_that_is_kept() {
    let (_alone, _watchdog) = (alone(), watchdog(300));
    for _ in 0..rounds(50) {
        let used = Used::new();
        let f = used.function();
        let mut pipe = pipeline! {
            used.items.things() |> thread::map(f.clone(), 2, 9, end_timeout = HOUR) |> thread::map(f, 2, 9, end_timeout = HOUR)
        };
        pipe.next();
        pipe.stop();
        assert!(matches!(pipe.try_next(), Ok(None)));
        used.assert_gone();
    }
}

/// The queue above has a limit, the one below waits for its workers, which are in it.
#[test]
fn a_limit_holds_in_a_queue_above_another() {
    let (_alone, _watchdog) = (alone(), watchdog(300));
    record();
    let (gate, limit) = (Gate::new(), Duration::from_millis(30));
    let wait = gate.clone();
    let released = Arc::new(AtomicBool::new(false));
    let done = released.clone();
    let f = move |x: u64| {
        wait.pass();
        done.store(true, SeqCst);
        x
    };
    let (mut pipe, line) = (pipeline! { 0.. |> thread::map(f, 1, end_timeout = limit) |> thread::queue(2) }, line!());
    wait_until(|| gate.waiting() == 1);
    pipe.stop();
    let (_, error) = failure(&mut pipe);
    assert_eq!((error.stage(), error.location().map(|at| at.line())), (Some("thread::map"), Some(line)));
    assert!(!released.load(SeqCst));
    gate.open();
    wait_until(|| workers().is_none_or(|n| n == 0));
    assert!(released.load(SeqCst));
}

/// Runs this test again, by itself.
#[track_caller]
fn run(command: &mut Command) -> (Output, String) {
    let output = command.output().expect("the test runs itself");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    (output, errors)
}

#[test]
fn a_worker_error_can_end_the_process() {
    let name = "a_worker_error_can_end_the_process";
    if is_child(name) {
        let _watchdog = watchdog(300);
        let f = |x| if x == 7 { panic!("no 7") } else { x };
        println!("{}", pipeline! { range(100) |> thread::map(f, workers = 2, on_worker_error = exit) |> count() });
        unreachable!("it ended well");
    }
    let (output, errors) = run(&mut child(name));
    assert_eq!(output.status.code(), Some(1), "{errors}");
    let place = format!("tinypl: panicked: no 7 (in `thread::map` at {}:{}:", file!(), line!() - 5);
    assert!(errors.contains(&place) && errors.contains(", item 7)"), "{errors}");
}

#[test]
fn a_worker_error_can_be_printed() {
    let name = "a_worker_error_can_be_printed";
    if is_child(name) {
        let _watchdog = watchdog(300);
        let f = |x| if x == 7 { panic!("no 7") } else { x };
        let print = OnWorkerError::ForwardAndPrint;
        let mut one = pipeline! { range(100) |> thread::map(f, workers = 2, on_worker_error = forward_and_print) };
        assert_eq!(failure(&mut one).1.item(), Some(7));
        drop(one);
        let mut two = Pipeline::new(thread::map(range(0, 100), f).workers(2).on_worker_error(print));
        assert_eq!(failure(&mut two).1.item(), Some(7));
        drop(two);
        // left out, it is no concern of the terminal's: who pulls gets it
        let g = |x| if x == 7 { panic!("no lucky number") } else { x };
        let mut three = pipeline! { range(100) |> thread::map(g, workers = 2) };
        assert_eq!(failure(&mut three).1.item(), Some(7));
        drop(three);
        let mut four = pipeline! { range(100) |> thread::map(g, workers = 2, on_worker_error = forward) };
        assert_eq!(failure(&mut four).1.item(), Some(7));
        return;
    }
    let (output, errors) = run(&mut child(name));
    assert!(output.status.success(), "{errors}");
    assert_eq!(errors.matches("tinypl: panicked: no 7 (in `thread::map` at ").count(), 2, "{errors}");
    // what else stands there is of the panic hook
    assert_eq!(errors.matches("tinypl: ").count(), 2, "{errors}");
}

/// Their stacks don't fit into the memory that the process may have: some threads start, then one doesn't.
#[test]
fn threads_that_can_not_be_started() {
    let name = "threads_that_can_not_be_started";
    if is_child(name) {
        let _watchdog = watchdog(300);
        let used = Used::new();
        let f = used.function();
        let things = used.items.things();
        pipeline! { let mut pipe = things |> thread::map(f.clone(), workers = 2) |> q @ thread::map(f, workers = 1000); }
        let line = line!() - 1;
        let (items, error) = failure(&mut pipe);
        assert!(error.message().starts_with("could not start worker "), "{error}");
        assert_says(&error, error.message(), "thread::map", line, None);
        assert_eq!(q.workers(), 0);
        drop((items, pipe));
        used.assert_gone();

        // in a scope, in a shared track, in the queue above, and at once given up
        let seen = AtomicUsize::new(0);
        std::thread::scope(|s| {
            let f = |_| seen.fetch_add(1, SeqCst);
            let (_, error) = failure(&mut pipeline! { range(9) |> thread::map(f, workers = 1000, scope = s) });
            assert!(error.message().starts_with("could not start worker "), "{error}");
        });
        pipeline! {
            let shared = range(9) |> thread::queue(workers = 1000);
            let mut one = shared |> thread::queue(workers = 2);
            let mut two = shared |> map(|x| x);
        }
        drop(shared);
        assert!(failure(&mut one).1.message().starts_with("could not start worker "));
        assert!(failure(&mut two).1.message().starts_with("could not start worker "));
        drop((one, two));
        drop(pipeline! { 0.. |> thread::queue(workers = 1000) });
        wait_until(|| workers().is_none_or(|n| n == 0));
        return;
    }
    let again = child(name);
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -v 4000000 && exec \"$@\"", "sh"]);
    limited.arg(again.get_program()).args(again.get_args());
    limited.envs(again.get_envs().filter_map(|(key, value)| Some((key, value?))));
    // 64 MB each
    limited.env("RUST_MIN_STACK", "67108864");
    // else the allocator's own reserves decide whether the little memory that is left is to be had
    limited.env("MALLOC_ARENA_MAX", "1");
    let (output, errors) = run(&mut limited);
    assert!(output.status.success(), "{errors}");
}
