//! What was wrong once, each told by how it should be. Threads wait at gates, so that it would go wrong again every time.
use std::fmt::Debug;
use std::io::{Write, stdout};
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, OnceLock, mpsc};
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};
use tinypl::{Envelope, Error, Given, Pipe, Pipeline, Plain, Serial, Upstream, pipeline, stage};
use tinypl_tests::{Gate, Ledger, Random, child, cpu_millis, is_child, linger, rounds, wait_until, watchdog};

/// `0, 1, 2, …`, where number `at` waits at the gate before it is given.
fn gated(at: usize, gate: &Gate) -> impl Iterator<Item = usize> + Send + use<> {
    let gate = gate.clone();
    (0..).inspect(move |n| {
        if *n == at {
            gate.pass();
        }
    })
}

/// A channel's items, prefetched by a thread: who pulls sleeps in a wait of ours, which a stop ends.
fn fed() -> (mpsc::Sender<i32>, Pipeline<impl Plain<Item = i32> + Send>) {
    let (feed, numbers) = mpsc::channel();
    (feed, pipeline! { numbers |> thread::queue(workers = 1) })
}

fn panic_of<R: Debug>(f: impl FnOnce() -> R) -> String {
    let payload = catch_unwind(AssertUnwindSafe(f)).expect_err("it should panic");
    payload.downcast_ref::<String>().cloned().or(payload.downcast_ref::<&str>().map(ToString::to_string)).unwrap()
}

#[track_caller]
fn error_of<T: Debug>(result: Result<T, Error>) -> Error {
    result.expect_err("it should fail")
}

// What is finished flows

/// The consumer asked while a chunk was at work of which nothing is left; the answer is due in a later chunk.
#[test]
fn who_waits_through_discarded_items_gets_the_next_one_before_its_neighbour_is_done() {
    let _watchdog = watchdog(120);
    let mut random = Random::new(1);
    for _ in 0..rounds(20) {
        let slow = 3000;
        // in the chunk of `kept + 1`, but for few of these rounds
        let kept = slow + 2000 + random.below(1000);
        let gate = Gate::new();
        let wait = gate.clone();
        let only = move |x: &u64| {
            if *x == slow {
                // the consumer lies down now, and asks
                (0..4).for_each(|_| linger());
            } else if *x == kept + 1 {
                wait.pass();
            }
            *x == kept
        };
        let numbers = Ledger::new().source(10_000, true);
        let mut pipe = pipeline! { numbers |> filter(only) |> thread::queue(workers = 1, maxsize = 1024) };
        assert_eq!(pipe.next(), Some(kept));
        gate.open();
        assert_eq!(pipe.next(), None);
    }
}

/// All of these are there at once; what comes after them waits till they are done.
struct Wave {
    next: usize,
    over: Gate,
}

const CHEAP: usize = 4000;
const WAVE: usize = 8;

impl Serial for Wave {
    type Item = usize;
    type Marker = std::convert::Infallible;
    type Tags = ();

    fn pull(&mut self) -> Option<Given<Self>> {
        if self.next == CHEAP + WAVE {
            self.over.pass();
            return None;
        }
        self.next += 1;
        Some(Envelope::Item(self.next - 1, ()))
    }

    fn upstream(&mut self) -> Option<&mut dyn Upstream> {
        None
    }

    fn ready(&mut self) -> usize {
        let end = if self.next < CHEAP { CHEAP } else { CHEAP + WAVE };
        end - self.next
    }
}

/// Items on their way from one desk to another are not overlooked, or a worker would wait in the source with the lock that
/// those need who carry them.
#[test]
fn no_worker_waits_in_the_source_while_items_are_carried_from_desk_to_desk() {
    let _watchdog = watchdog(120);
    for _ in 0..rounds(60) {
        let over = Gate::new();
        let (met, done) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let end = over.clone();
        let f = move |x: usize| {
            if x < CHEAP {
                return;
            }
            if x < CHEAP + 3 {
                // these three need all three workers
                met.fetch_add(1, SeqCst);
                wait_until(|| met.load(SeqCst) == 3);
            }
            if done.fetch_add(1, SeqCst) + 1 == WAVE {
                end.open();
            }
        };
        let source = stage(Wave { next: 0, over });
        assert_eq!(pipeline! { source |> thread::map(f, workers = 3, maxsize = 1024) |> count() }, CHEAP + WAVE);
    }
}

// Orders

/// Its window is full meanwhile: of an item that another track holds, and of the one that comes next.
#[test]
fn a_load_goes_on_when_another_track_hands_the_awaited_item_out() {
    let _watchdog = watchdog(60);
    let (gate, ledger) = (Gate::new(), Ledger::new());
    let wait = gate.clone();
    let numbers = ledger.source(10, false);
    pipeline! {
        let raw = numbers |> o @ order::save(2);
        let mut slow = raw |> each(move |_| wait.pass());
        let mut loaded = raw |> order::load(o);
    }
    drop(raw);
    let first = spawn(move || slow.next());
    wait_until(|| gate.waiting() == 1);
    let second = spawn(move || (loaded.next(), loaded.next()));
    wait_until(|| ledger.pulled() == 2);
    linger(); // it waits for room now
    gate.open();
    assert_eq!(first.join().unwrap(), Some(0));
    assert_eq!(second.join().unwrap(), (Some(1), Some(2)));
}

/// The first block took what came first; what was still at work then is the next block's, in its place.
#[test]
fn an_item_that_comes_after_its_block_has_ended_is_loaded_by_the_next_one() {
    let _watchdog = watchdog(60);
    let gate = Gate::new();
    let wait = gate.clone();
    let slow_first = move |x: i32| {
        if x == 0 {
            wait.pass();
        }
        x
    };
    pipeline! { let mut pipe = range(20) |> o @ order::save(8) |> thread::map(slow_first, workers = 2); }
    let first: Vec<_> = pipeline! { &mut pipe |> take(3) |> order::load(o) |> collect() };
    assert!(first.len() == 3 && first.is_sorted() && first[0] > 0, "{first:?}");
    gate.open();
    let rest: Vec<_> = pipeline! { &mut pipe |> order::load(o) |> collect() };
    assert!(rest.iter().copied().eq((0..20).filter(|x| !first.contains(x))), "{first:?}, {rest:?}");
}

/// Many tickets were free when `save` last looked.
#[test]
fn a_window_that_shrinks_is_kept_from_then_on_by_a_queue_between() {
    let _watchdog = watchdog(60);
    let ledger = Ledger::new();
    let numbers = ledger.source(1000, true);
    pipeline! {
        let mut pipe = numbers |> o @ order::save(500) |> zip(0..) |> thread::queue(workers = 1, maxsize = 10)
            |> order::load(o);
    }
    wait_until(|| ledger.pulled() == 11);
    o.set_maxsize(1);
    (0..20).for_each(|n| assert_eq!(ledger.next(&mut pipe), Some((n, n))));
    ledger.forget_most();
    (20..200).for_each(|n| assert_eq!(ledger.next(&mut pipe), Some((n, n))));
    assert!(ledger.most() <= 1, "{} were under way", ledger.most());
}

/// The numbers below `n`, all there at once; while they are taken in chunks, `meanwhile` is called with each.
struct Meddling<F> {
    next: usize,
    n: usize,
    meanwhile: F,
}

impl<F: FnMut(usize)> Serial for Meddling<F> {
    type Item = usize;
    type Marker = std::convert::Infallible;
    type Tags = ();

    fn pull(&mut self) -> Option<Given<Self>> {
        if self.next == self.n {
            return None;
        }
        (self.meanwhile)(self.next);
        self.next += 1;
        Some(Envelope::Item(self.next - 1, ()))
    }

    fn upstream(&mut self) -> Option<&mut dyn Upstream> {
        None
    }

    fn ready(&mut self) -> usize {
        self.n - self.next
    }
}

/// What is taken already is not held back by a worker that waits for room with it in its hands.
#[test]
fn a_window_that_shrinks_while_a_chunk_is_taken_holds_back_nothing_of_it() {
    let _watchdog = watchdog(60);
    for workers in [1, 4] {
        let order = Arc::new(OnceLock::<Box<dyn Fn(usize) + Send + Sync>>::new());
        let late = order.clone();
        let mut sizes = [1, 7, 2, 100, 3].into_iter().cycle();
        let meanwhile = move |n: usize| {
            if n % 37 == 36 {
                let resize: &(dyn Fn(usize) + Send + Sync) = &**late.wait();
                resize(sizes.next().unwrap());
            }
        };
        let source = stage(Meddling { next: 0, n: 3000, meanwhile });
        pipeline! {
            let pipe = source |> o @ order::save(500) |> thread::map(|x| x, workers, maxsize = 1024) |> order::load(o);
        }
        assert!(order.set(Box::new(move |n| o.set_maxsize(n))).is_ok());
        assert!(pipe.eq(0..3000));
    }
}

/// What a stage of its own holds between the source and the queue counts too.
#[test]
fn an_order_around_nothing_takes_no_more_than_the_queue_below_asks_for() {
    let _watchdog = watchdog(60);
    let ledger = Ledger::new();
    let numbers = ledger.source(1000, true);
    let pipe = pipeline! {
        numbers |> o @ order::save(500) |> order::load(o) |> thread::queue(workers = 1, maxsize = 1)
    };
    wait_until(|| ledger.pulled() >= 2);
    linger();
    assert_eq!(ledger.pulled(), 2);
    drop(pipe);
}

/// As good as none.
#[test]
fn a_bound_may_be_as_large_as_numbers_get() {
    let _watchdog = watchdog(60);
    const ALL: usize = usize::MAX;
    for workers in [1, 2] {
        assert_eq!(pipeline! { range(300) |> thread::queue(workers, maxsize = ALL) |> count() }, 300);
        let ordered: Vec<i32> = pipeline! {
            range(300) |> o @ order::save(ALL) |> thread::map(|x| x, workers, maxsize = ALL) |> order::load(o) |> collect()
        };
        assert!(ordered.into_iter().eq(0..300));
    }
    pipeline! { let mut pipe = range(300) |> o @ order::save(3) |> thread::queue(workers = 2) |> order::load(o); }
    assert_eq!(pipe.next(), Some(0));
    o.set_maxsize(ALL);
    assert!(pipe.eq(1..300));
}

// Who shares a track waits for none of the others

/// It has all that it wanted, and asks nobody for it.
#[test]
fn a_block_on_a_shared_track_ends_while_another_one_waits_in_the_source() {
    let _watchdog = watchdog(60);
    let gate = Gate::new();
    let numbers = gated(2, &gate);
    let all = pipeline! { numbers |> share() };
    let mut other = all.clone();
    let mut two = pipeline! { all |> take(2) };
    assert_eq!((two.next(), two.next()), (Some(0), Some(1)));
    let waiting = spawn(move || other.next());
    wait_until(|| gate.waiting() == 1);
    assert_eq!(two.next(), None);
    assert!(matches!(two.try_next(), Ok(None)));
    drop(two);
    gate.open();
    assert_eq!(waiting.join().unwrap(), Some(2));
}

#[test]
fn a_block_on_a_shared_track_is_made_while_another_one_waits_in_the_source() {
    let _watchdog = watchdog(60);
    let gate = Gate::new();
    let numbers = gated(0, &gate);
    let all = pipeline! { numbers |> share() };
    let mut other = all.clone();
    let waiting = spawn(move || other.next());
    wait_until(|| gate.waiting() == 1);
    let mut one = pipeline! { all.clone() |> map(|x| x) };
    let mut two = pipeline! { all |> o @ order::save(2) |> order::load(o) };
    gate.open();
    assert_eq!(waiting.join().unwrap(), Some(0));
    assert_eq!((one.next(), two.next()), (Some(1), Some(2)));
}

/// It would wait for itself for ever.
#[test]
fn a_shared_track_that_is_pulled_from_above_itself_fails() {
    let _watchdog = watchdog(60);
    type Pull = Box<dyn FnMut() -> Option<i32> + Send>;
    let again: Arc<Mutex<Option<Pull>>> = Arc::default();
    let pull = again.clone();
    let f = move |x: i32| match pull.lock().unwrap().as_mut() {
        Some(pull) if x == 1 => pull().unwrap_or(-1),
        _ => x,
    };
    let mut all = pipeline! { range(5) |> map(f) |> share() };
    let mut same = all.clone();
    *again.lock().unwrap() = Some(Box::new(move || same.next()));
    assert_eq!(all.next(), Some(0));
    let error = error_of(all.try_next()).to_string();
    assert!(error.contains("`share` at ") && error.contains("a stage above it pulls from it"), "{error}");
    // it holds itself
    again.clear_poison();
    let held = again.lock().unwrap().take();
    drop(held);
}

// A stop is no end

/// Stops `pipe` from another thread, which waits for the workers; then opens the gate at which one of them is.
fn stop_at<P: Pipe>(mut pipe: Pipeline<P>, gate: &Gate)
where
    Pipeline<P>: Send,
{
    wait_until(|| gate.waiting() == 1);
    std::thread::scope(|s| {
        s.spawn(move || pipe.stop());
        (0..4).for_each(|_| linger());
        gate.open();
    });
}

/// An item that was begun is finished, with all that it pulls.
#[test]
fn a_block_in_a_workers_function_runs_to_its_end_when_the_worker_is_to_stop() {
    let _watchdog = watchdog(120);
    for _ in 0..rounds(10) {
        let (gate, counts) = (Gate::new(), Arc::new(Mutex::new(Vec::new())));
        let (wait, noted) = (gate.clone(), counts.clone());
        let f = move |_: u64| {
            let wait = wait.clone();
            let numbers = move |y: u64| {
                if y == 25 {
                    wait.pass();
                }
                y
            };
            let n = pipeline! { range(50_u64) |> thread::map(numbers, workers = 2, maxsize = 4) |> count() };
            noted.lock().unwrap().push(n);
        };
        stop_at(pipeline! { 0.. |> thread::map(f, workers = 1) }, &gate);
        let counts = counts.lock().unwrap();
        assert!(counts.len() == 1 && counts[0] == 50, "{counts:?}");
    }
}

/// The block may be given up then, but what it gave so far is not all.
#[test]
fn a_block_in_a_source_that_is_given_up_looks_like_no_end() {
    let _watchdog = watchdog(120);
    for _ in 0..rounds(10) {
        let (gate, counts) = (Gate::new(), Arc::new(Mutex::new(Vec::new())));
        let (wait, noted) = (gate.clone(), counts.clone());
        let source = std::iter::from_fn(move || {
            let wait = wait.clone();
            let numbers = move |y: u64| {
                if y == 25 {
                    wait.pass();
                }
                y
            };
            let n = pipeline! { range(50_u64) |> thread::map(numbers, workers = 2, maxsize = 4) |> count() };
            noted.lock().unwrap().push(n);
            Some(n)
        });
        stop_at(pipeline! { source |> thread::queue(workers = 1) }, &gate);
        assert!(counts.lock().unwrap().iter().all(|n| *n == 50), "{counts:?}");
    }
}

/// Items `0..` that count how many were pulled.
fn counted() -> (Arc<AtomicUsize>, impl Iterator<Item = i32> + Send) {
    let pulled = Arc::new(AtomicUsize::new(0));
    let count = pulled.clone();
    let numbers = (0..).inspect(move |_| {
        count.fetch_add(1, SeqCst);
    });
    (pulled, numbers)
}

/// The item of the upstream that waits for its partner is paired by whoever comes next.
#[test]
fn zip_loses_nothing_when_one_of_its_tracks_stops_while_it_waits_for_a_partner() {
    let _watchdog = watchdog(60);
    let (feed, other) = fed();
    let (pulled, numbers) = counted();
    pipeline! {
        let zipped = numbers |> zip(other);
        let mut queued = zipped |> thread::queue(workers = 1);
    }
    wait_until(|| pulled.load(SeqCst) == 1);
    linger(); // it waits for the partner now
    queued.stop();
    (0..5).for_each(|x| feed.send(x).unwrap());
    drop(feed);
    assert_eq!(zipped.collect::<Vec<_>>(), [(0, 0), (1, 1), (2, 2), (3, 3), (4, 4)]);
}

/// Pipelines to flatten, the first of which has given nothing yet.
macro_rules! flattening {
    ($flatten:ident) => {{
        let ((feed, one), (feed_two, two)) = (fed(), fed());
        let pulled = Arc::new(AtomicUsize::new(0));
        let count = pulled.clone();
        let inners = vec![one, two].into_iter().inspect(move |_| {
            count.fetch_add(1, SeqCst);
        });
        pipeline! {
            let flat = inners |> tinypl::$flatten();
            let mut queued = flat |> thread::queue(workers = 1);
        }
        wait_until(|| pulled.load(SeqCst) == 1);
        linger(); // it waits in the first
        queued.stop();
        for x in 0..3 {
            feed.send(x).unwrap();
            feed_two.send(10 + x).unwrap();
        }
        drop((feed, feed_two));
        assert_eq!(flat.collect::<Vec<_>>(), [0, 1, 2, 10, 11, 12]);
    }};
}

#[test]
fn flatten_goes_on_with_the_same_pipeline_when_one_of_its_tracks_stops_in_it() {
    let _watchdog = watchdog(60);
    flattening!(flatten);
}

#[test]
fn flatten_eager_goes_on_with_the_same_pipeline_when_one_of_its_tracks_stops_in_it() {
    let _watchdog = watchdog(60);
    flattening!(flatten_eager);
}

/// What it took from the pipeline before the stop is not lost either.
#[test]
fn flatten_eager_keeps_what_it_took_when_one_of_its_tracks_stops_half_way() {
    let _watchdog = watchdog(60);
    let (feed, numbers) = mpsc::channel();
    (0..3).for_each(|x| feed.send(x).unwrap());
    let taken = Arc::new(AtomicUsize::new(0));
    let count = taken.clone();
    let inner = pipeline! { numbers |> thread::queue(workers = 1) |> each(move |_| { count.fetch_add(1, SeqCst); }) };
    let inners = vec![inner];
    pipeline! {
        let flat = inners |> flatten_eager();
        let mut queued = flat |> thread::queue(workers = 1);
    }
    wait_until(|| taken.load(SeqCst) == 3);
    linger(); // it waits for the fourth
    queued.stop();
    (3..6).for_each(|x| feed.send(x).unwrap());
    drop(feed);
    assert_eq!(flat.collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5]);
}

// Errors

/// What lies beyond the last item that is wanted is nobody's business.
#[test]
fn a_failure_beyond_what_take_gives_is_none() {
    let _watchdog = watchdog(60);
    let boom = |x: i32| {
        assert!(x < 20, "no {x}");
        x
    };
    pipeline! { let mut three = range(100) |> q @ thread::map(boom, workers = 1, maxsize = 64) |> take(3); }
    wait_until(|| q.workers() == 0); // it has failed
    for n in 0..3 {
        assert!(matches!(three.try_next(), Ok(Some(x)) if x == n));
    }
    assert!(matches!(three.try_next(), Ok(None)));
    assert_eq!(three.next(), None);
    // and what is within is
    pipeline! { let all = range(100) |> q @ thread::map(boom, workers = 1, maxsize = 64) |> take(21); }
    wait_until(|| q.workers() == 0);
    assert_eq!(error_of(all.try_collect::<Vec<_>>()).message(), "panicked: no 20");
}

/// The panic itself goes up as it is; after that there is an error to tell.
#[test]
fn after_a_panic_on_the_callers_own_thread_a_pipeline_gives_no_more_items() {
    let _watchdog = watchdog(60);
    let mut pipe = pipeline! { range(6) |> map(|x| { assert!(x > 0, "zero"); x }) };
    for _ in 0..3 {
        assert!(panic_of(|| pipe.next()).starts_with("panicked: zero (in `map` at "));
        assert_eq!(error_of(pipe.try_next()).stage(), Some("map"));
        assert_eq!(error_of(pipe.try_next()).item(), Some(0));
    }
    assert!(panic_of(|| pipe.count()).starts_with("panicked: zero (in `map` at "));
}

#[test]
fn a_pipeline_that_has_failed_fails_as_a_source_too() {
    let _watchdog = watchdog(60);
    let failed = || {
        let mut pipe = pipeline! { range(6) |> map(|x| { assert!(x != 2, "two"); x }) };
        assert!(matches!((pipe.try_next(), pipe.try_next()), (Ok(Some(0)), Ok(Some(1)))));
        assert_eq!(error_of(pipe.try_next()).message(), "panicked: two");
        pipe
    };
    let pipe = failed();
    assert!(panic_of(|| pipeline! { pipe |> map(|x| x) |> count() }).starts_with("panicked: two (in `map` at "));
    let mut pipe = failed();
    assert_eq!(error_of(pipeline! { &mut pipe |> try_collect::<Vec<_>>() }).message(), "panicked: two");
}

#[test]
fn a_pipeline_that_fails_while_it_is_borrowed_has_failed_afterwards() {
    let _watchdog = watchdog(60);
    let mut pipe = pipeline! { range(6) |> map(|x| { assert!(x != 2, "two"); x }) };
    assert_eq!(error_of(pipeline! { &mut pipe |> try_collect::<Vec<_>>() }).message(), "panicked: two");
    let error = error_of(pipe.try_next());
    assert_eq!((error.message(), error.stage(), error.item()), ("panicked: two", Some("map"), Some(2)));
}

/// Panics once more when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "the payload's drop");
    }
}

#[test]
fn a_payload_that_panics_when_it_is_dropped_hides_nothing_of_the_panic() {
    let _watchdog = watchdog(60);
    let boom = |x: i32| if x == 5 { panic_any(Bomb) } else { x };
    let queued = error_of(pipeline! { range(100) |> thread::map(boom, workers = 2) |> try_collect::<Vec<_>>() });
    let serial = error_of(pipeline! { range(100) |> map(boom) |> try_collect::<Vec<_>>() });
    for (error, stage) in [(queued, "thread::map"), (serial, "map")] {
        assert_eq!(error.message(), "panicked: (a payload that is not text)");
        assert_eq!((error.stage(), error.item()), (Some(stage), Some(5)));
    }
}

/// Stages that count, and a queue's results, below which a whole fold runs.
#[test]
fn a_panic_in_a_fold_says_the_number_of_the_item_whatever_stands_above() {
    let _watchdog = watchdog(60);
    fn three(x: i32) -> i32 {
        assert!(x != 3, "three");
        x
    }
    let add = |a: i32, b: i32| a + b;
    macro_rules! assert_three {
        ($($chain:tt)*) => {
            // the pipeline around it catches what the fold lets through
            let outer = pipeline! { range(1) |> map(|_| pipeline! { $($chain)* |> map(three) |> fold(0, add) }) };
            let error = error_of(outer.try_collect::<Vec<_>>());
            assert_eq!((error.stage(), error.item()), (Some("map"), Some(3)), "{error}");
        };
    }
    assert_three!(range(5));
    assert_three!(vec![0, 1, 2, 3, 4]);
    assert_three!(range(5) |> try_map(Ok::<_, Error>));
    assert_three!(range(5) |> thread::queue(workers = 1));
    assert_three!(range(5) |> o @ order::save(2) |> order::load(o));
}

// Figures

#[test]
fn a_queues_handle_counts_what_is_ready_to_the_item() {
    let _watchdog = watchdog(60);
    pipeline! { let mut pipe = range(40) |> q @ thread::queue(workers = 2, maxsize = 1000); }
    wait_until(|| q.fill() == 40);
    for left in (25..40).rev() {
        assert!(pipe.next().is_some());
        assert_eq!(q.fill(), left);
    }
    drop(pipe);
    assert_eq!((q.fill(), q.workers()), (0, 0));
}

/// Pulls that are out of the period already are not what it counts down to.
#[test]
fn a_rate_limits_handle_tells_of_the_oldest_pull_that_still_counts() {
    let _watchdog = watchdog(60);
    let period = Duration::from_millis(100);
    for _ in 0..5 {
        pipeline! { let mut pipe = range(10) |> r @ ratelimit(5, period); }
        let first = Instant::now();
        assert_eq!(pipe.next(), Some(0));
        sleep(period);
        assert!(first.elapsed() >= period && r.time_to_next_drop().is_zero());
        let second = Instant::now();
        assert_eq!(pipe.next(), Some(1));
        let left = r.time_to_next_drop();
        // unless this thread was asleep meanwhile
        assert!(left > Duration::ZERO && left <= period || second.elapsed() >= period, "{left:?}");
    }
}

/// A group may stand behind its markers, ready to go.
#[test]
fn partitions_size_hint_counts_the_group_that_waits_for_its_markers() {
    let _watchdog = watchdog(60);
    pipeline! { let mut pipe = range(3) |> marker::insert_periodic(1) |> partition(2, markers = before); }
    for _ in 0..3 {
        let groups = pipeline! { &mut pipe |> marker::until() |> count() };
        let (least, most) = pipe.size_hint();
        assert!(least <= 2 && most.is_none_or(|most| most >= usize::from(groups == 0)), "{:?}", (least, most));
    }
    let (least, most) = pipe.size_hint();
    let rest = pipe.count();
    assert_eq!(rest, 1);
    assert!(least <= rest && most.is_none_or(|most| most >= rest), "{:?}", (least, most));
}

/// Not of a whole chunk first, and then of its items.
#[test]
fn print_on_item_above_a_queue_tells_of_each_pull_before_it() {
    let test = "print_on_item_above_a_queue_tells_of_each_pull_before_it";
    let _watchdog = watchdog(120);
    if is_child(test) {
        let numbers = Ledger::new().source(2000, true);
        let n = pipeline! { numbers |> debug::print_on_item("x") |> thread::queue(workers = 1) |> count() };
        assert_eq!(n, 2000);
        stdout().flush().unwrap();
        return;
    }
    let output = child(test).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    // the harness may have begun the first line
    let lines: Vec<&str> = text.lines().filter_map(|line| line.find("PIPE: ").map(|i| &line[i..])).collect();
    assert_eq!(lines.len(), 4001);
    assert_eq!(lines.last(), Some(&"PIPE: pulling   x")); // and there was nothing
    for two in lines.chunks_exact(2) {
        assert_eq!(two, ["PIPE: pulling   x", "PIPE: returning x"]);
    }
}

/// The worker that ends a pipeline is itself to stop, and must not spin for that.
#[test]
fn a_worker_that_is_to_stop_waits_for_those_of_its_own_pipeline_without_using_the_processor() {
    let test = "a_worker_that_is_to_stop_waits_for_those_of_its_own_pipeline_without_using_the_processor";
    let _watchdog = watchdog(120);
    if !is_child(test) {
        let output = child(test).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        return;
    }
    let (enter, never) = (Gate::new(), Gate::new());
    let (wait, stuck) = (enter.clone(), never.clone());
    let limit = Duration::from_secs(1);
    let ended = Arc::new(AtomicBool::new(false));
    let done = ended.clone();
    let f = move |_: u64| {
        let at = stuck.clone();
        let inner = pipeline! { range(3) |> thread::each(move |_| at.pass(), workers = 1, end_timeout = limit) };
        wait_until(|| stuck.waiting() == 1);
        wait.pass();
        drop(inner);
        done.store(true, SeqCst);
    };
    let pipe = pipeline! { 0.. |> thread::map(f, workers = 1) };
    let began = (Instant::now(), cpu_millis());
    stop_at(pipe, &enter);
    assert!(ended.load(SeqCst) && began.0.elapsed() >= limit);
    if let (Some(before), Some(after)) = (began.1, cpu_millis()) {
        assert!(after - before < 300, "{} ms", after - before);
    }
    never.open();
}
