//! Thread stages, as far as they are about what comes out: stacked queues, mutexes, states.
use std::cell::Cell;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use tinypl::pipeline;
use tinypl_tests::watchdog;

fn sorted<T: Ord>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut all: Vec<T> = items.collect();
    all.sort_unstable();
    all
}

#[test]
fn a_queue_gives_every_item_once() {
    let _watchdog = watchdog(60);
    for (workers, maxsize) in [(1, 1), (1, 8), (4, 1), (4, 8), (64, 2), (3, 1000)] {
        let pipe = pipeline! { range(500) |> map(|x| 2 * x) |> thread::queue(workers, maxsize) };
        assert_eq!(sorted(pipe), (0..500).map(|x| 2 * x).collect::<Vec<_>>());
    }
}

#[test]
fn stacked_queues() {
    let _watchdog = watchdog(60);
    let pipe = pipeline! {
        range(100)
            |> map(|x| x + 1)
            |> thread::queue(workers = 4, maxsize = 8)
            |> map(|x| x * 2)
            |> thread::queue(workers = 4, maxsize = 8)
    };
    assert_eq!(sorted(pipe), (1..101).map(|x| 2 * x).collect::<Vec<_>>());
}

#[test]
fn many_stacked_queues() {
    let _watchdog = watchdog(60);
    let pipe = pipeline! {
        range(300) |> thread::queue(1, 1) |> thread::map(|x| x + 1, 2, 1) |> filter(|x| x % 2 == 0)
            |> thread::queue(3, 2) |> thread::queue(1)
            |> thread::each(|_| (), 2) |> skip(10)
    };
    assert_eq!(pipe.count(), 140);
}

#[test]
fn thread_map_is_map_and_queue() {
    let _watchdog = watchdog(60);
    assert_eq!(
        sorted(pipeline! { range(50) |> thread::map(|x| x * x, workers = 3) }),
        (0..50).map(|x| x * x).collect::<Vec<_>>()
    );
}

#[test]
fn thread_each_sees_each_item_and_passes_it_on() {
    let _watchdog = watchdog(60);
    static SUM: AtomicUsize = AtomicUsize::new(0);
    let pipe = pipeline! { range(50_usize) |> thread::each(|x| { SUM.fetch_add(*x, Relaxed); }, workers = 3) };
    assert_eq!(sorted(pipe), (0..50).collect::<Vec<_>>());
    assert_eq!(SUM.load(Relaxed), 49 * 25);
}

#[test]
fn thread_map_init_makes_a_state_for_each_worker() {
    let _watchdog = watchdog(60);
    static STATES: AtomicUsize = AtomicUsize::new(0);
    // the state need not be `Send`
    let init = || {
        STATES.fetch_add(1, Relaxed);
        Rc::new(Cell::new(0))
    };
    let pipe = pipeline! { range(100)
    |> thread::map_init(init, |state, x| { state.set(state.get() + 1); (x, state.get()) }, workers = 3) };
    let all = sorted(pipe);
    assert_eq!(all.iter().map(|pair| pair.0).collect::<Vec<_>>(), (0..100).collect::<Vec<_>>());
    // no two workers count in the same state
    let states = STATES.load(Relaxed);
    assert!((1..=3).contains(&states));
    assert_eq!(all.iter().filter(|pair| pair.1 == 1).count(), states);
}

#[test]
fn below_a_mutex_a_function_may_change_what_it_captured() {
    let _watchdog = watchdog(60);
    let mut sum = 0;
    let sums = pipeline! { range(100) |> map(move |x| { sum += x; sum }) |> thread::mutex() |> thread::queue(4) };
    assert_eq!(
        sorted(sums),
        (0..100)
            .scan(0, |sum, x| {
                *sum += x;
                Some(*sum)
            })
            .collect::<Vec<_>>()
    );
}

#[test]
fn a_mutex_lets_one_thread_at_a_time_upstream() {
    let _watchdog = watchdog(60);
    static INSIDE: AtomicUsize = AtomicUsize::new(0);
    let pipe = pipeline! {
        range(500)
            |> each(|_| assert_eq!(INSIDE.fetch_add(1, Relaxed), 0))
            |> map(|x| { assert_eq!(INSIDE.fetch_sub(1, Relaxed), 1); x })
            |> thread::mutex()
            |> thread::map(|x| x, workers = 8, maxsize = 2)
    };
    assert_eq!(pipe.count(), 500);
}

#[test]
fn a_source_that_is_not_made_for_threads_needs_no_mutex() {
    let _watchdog = watchdog(60);
    let mut i = 0;
    let numbers = std::iter::from_fn(move || {
        i += 2;
        (i <= 100).then_some(i)
    });
    assert_eq!(pipeline! { numbers |> thread::map(|x| x, workers = 16) |> fold(0, |a, b| a + b) }, 2550);
}

/// As below a `thread::mutex`: these let one puller at a time upstream, so nothing more is needed.
#[test]
fn below_a_stage_with_one_puller_a_function_may_change_what_it_captured() {
    let _watchdog = watchdog(60);
    macro_rules! counted {
        ($($stage:tt)*) => {{
            let mut n = 0;
            pipeline! { range(20) |> map(move |x| { n += 1; x + n }) |> $($stage)* |> thread::queue(workers = 2) |> count() }
        }};
    }
    assert_eq!(
        [counted!(take(9)), counted!(skip(9)), counted!(enumerate()), counted!(zip(0..)), counted!(chain(0..3))],
        [9, 11, 20, 20, 23]
    );
    assert_eq!(
        [
            counted!(partition(4)),
            counted!(map(Some) |> flatten()),
            counted!(map(Some) |> flatten_eager()),
            counted!(share()),
            counted!(ratelimit(1_000_000, std::time::Duration::ZERO)),
            counted!(marker::insert_periodic(3)),
            counted!(m @ marker::insert_periodic(3) |> marker::until(m)),
            counted!(m @ marker::insert_periodic(3) |> marker::on(|| (), m)),
            counted!(o @ order::save(4) |> order::load(o)),
            counted!(o @ order::save(4) |> map(|x| x) |> order::load(o)),
            counted!(o @ order::save(4) |> thread::map(|x| x, workers = 2) |> order::load(o)),
        ],
        [5, 20, 20, 20, 20, 20, 3, 20, 20, 20, 20]
    );
}

#[test]
fn every_stage_may_stand_below_a_queue_and_above_one() {
    let _watchdog = watchdog(60);
    let pipe = pipeline! {
        range(200)
            |> thread::queue(2)
            |> map(|x| x + 1) |> each(|_| ()) |> filter(|x| *x > 0) |> filter_map(Some) |> try_map(Ok::<i32, String>)
            |> skip(1) |> take(150) |> enumerate() |> zip(0..) |> map(|((_, x), _)| x) |> chain(300..310)
            |> partition(3) |> flatten() |> partition(2) |> flatten_eager()
            |> m @ marker::insert_periodic(10) |> marker::on(|| (), m) |> marker::on(|| (), m, consume = true)
            |> ratelimit(1_000_000, std::time::Duration::from_nanos(1)) |> share() |> thread::mutex()
            |> thread::queue(2)
    };
    assert_eq!(pipe.count(), 160);
}
