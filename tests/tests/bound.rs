//! A bound is a bound: what was pulled and not delivered is at most `maxsize + workers` (of a queue) or `maxsize` (of an
//! order) at all times. And it is reached: queues prefetch as much as they may.
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use tinypl::{Locked, Pipe, Pipeline, order, pipeline, thread};
use tinypl_tests::{Gate, Ledger, Numbers, Random, linger, rounds, uneven, wait_until, watchdog, work};

const MAXSIZES: [usize; 4] = [1, 2, 8, 1000];

/// What a queue or an order may stay below its bound after the consumer paused: it tells who sleeps only now and then, and
/// before it waits.
fn slack(bound: usize) -> usize {
    (bound / 16).min(32)
}

/// Each shape of a source: alone it is pulled item by item, and where it is sure, in chunks.
fn sources(n: u64) -> [(Ledger, Locked<Numbers>); 2] {
    [false, true].map(|sure| {
        let ledger = Ledger::new();
        let source = ledger.source(n, sure);
        (ledger, source)
    })
}

/// Waits until as much as `bound` was pulled ahead, and sees that it stays there.
#[track_caller]
fn fills_to(ledger: &Ledger, bound: usize) {
    wait_until(|| ledger.ahead() >= bound);
    linger();
    assert_eq!(ledger.ahead(), bound);
}

/// Pulls `n` items, which must be there.
#[track_caller]
fn consume<P: Pipe>(ledger: &Ledger, pipe: &mut Pipeline<P>, n: usize) {
    for _ in 0..n {
        assert!(ledger.next(pipe).is_some(), "an early end");
    }
}

#[test]
fn a_queue_that_nobody_pulls_fills_up_and_stops() {
    let _watchdog = watchdog(300);
    for maxsize in MAXSIZES {
        for workers in [1, 2, 5] {
            for (ledger, source) in sources(u64::MAX) {
                let pipe = pipeline! { source |> thread::queue(workers, maxsize) };
                fills_to(&ledger, maxsize + workers);
                drop(pipe);
                assert_eq!(ledger.most(), maxsize + workers);
            }
        }
    }
}

#[test]
fn its_handle_shows_it_full() {
    let _watchdog = watchdog(300);
    for maxsize in MAXSIZES {
        let ledger = Ledger::new();
        pipeline! { let mut pipe = ledger.source(u64::MAX, true) |> q @ thread::queue(workers = 3, maxsize = maxsize); }
        fills_to(&ledger, maxsize + 3);
        wait_until(|| q.fill() == maxsize);
        assert_eq!((q.workers(), q.maxsize()), (3, maxsize));
        consume(&ledger, &mut pipe, 10);
        wait_until(|| q.fill() >= maxsize - slack(maxsize + 3));
        pipe.stop();
        assert_eq!(q.workers(), 0);
    }
}

#[test]
fn nothing_is_pulled_before_the_pipeline_is_made() {
    let ledger = Ledger::new();
    let queue = thread::queue(ledger.source(100, true)).workers(2).maxsize(4);
    linger();
    assert_eq!(ledger.pulled(), 0);
    drop(queue);
    assert_eq!(ledger.pulled(), 0);
}

/// Below a queue nothing runs ahead but the queue itself.
#[test]
fn a_serial_chain_is_pulled_one_item_at_a_time() {
    for (ledger, source) in sources(100) {
        let mut pipe = pipeline! { source |> map(|x| x + 1) |> o @ order::save(8) |> order::load(o) |> enumerate() };
        assert_eq!(ledger.pulled(), 0);
        for n in 1..=100 {
            consume(&ledger, &mut pipe, 1);
            assert_eq!(ledger.pulled(), n);
        }
    }
}

/// With a consumer that is quick, slow, or both by turns.
#[test]
fn a_queue_keeps_its_bound_while_items_flow() {
    let _watchdog = watchdog(300);
    let mut random = Random::new(1);
    for round in 0..rounds(12) {
        for maxsize in MAXSIZES {
            let n = 50 + 3 * maxsize as u64;
            let workers = random.size(4);
            let (costly, dawdles) = (round % 3 == 1, round % 3 == 2);
            for (ledger, source) in sources(n) {
                let f = move |x| {
                    work(if costly { uneven(x) } else { 0 });
                    x
                };
                let mut pipe = pipeline! { source |> thread::map(f, workers, maxsize) };
                let mut got = 0;
                while ledger.next(&mut pipe).is_some() {
                    got += 1;
                    work(if dawdles { uneven(got) } else { 0 });
                }
                assert_eq!(got, n);
                let (most, bound) = (ledger.most(), maxsize + workers);
                assert!(most <= bound, "{most} > {maxsize} + {workers}");
            }
        }
    }
}

/// The language's own `range` comes in chunks too: what its workers have begun is never more than the bound.
#[test]
fn a_range_keeps_the_bound() {
    let _watchdog = watchdog(300);
    for maxsize in MAXSIZES {
        let n = 200 + 5 * maxsize as u64;
        let counts = Arc::new([const { AtomicUsize::new(0) }; 3]);
        let seen = counts.clone();
        let f = move |x| {
            let [begun, asked, most] = &*seen;
            let begun = begun.fetch_add(1, SeqCst) + 1;
            most.fetch_max(begun.saturating_sub(asked.load(SeqCst)), SeqCst);
            x
        };
        let [begun, asked, most] = &*counts;
        let mut pipe = pipeline! { range(n) |> thread::map(f, workers = 2, maxsize = maxsize) };
        wait_until(|| begun.load(SeqCst) == maxsize + 2);
        for _ in 0..n {
            asked.fetch_add(1, SeqCst);
            assert!(pipe.next().is_some());
        }
        assert_eq!(pipe.next(), None);
        let most = most.load(SeqCst);
        assert!(most <= maxsize + 2, "{most} > {maxsize} + 2");
    }
}

#[test]
fn after_each_pause_of_the_consumer_it_is_full_again() {
    let _watchdog = watchdog(300);
    let mut random = Random::new(2);
    for maxsize in MAXSIZES {
        for (ledger, source) in sources(u64::MAX) {
            let workers = random.size(4);
            let bound = maxsize + workers;
            let mut pipe =
                pipeline! { source |> map(|x| { work(uneven(x) / 10); x }) |> thread::queue(workers, maxsize) };
            fills_to(&ledger, bound);
            for _ in 0..rounds(20) {
                consume(&ledger, &mut pipe, random.size(2 * bound as u64));
                wait_until(|| ledger.ahead() >= bound - slack(bound));
            }
            assert!(ledger.most() <= bound);
        }
    }
}

/// What a filter drops makes room: the queue goes on until it is full of what passes.
#[test]
fn discarded_items_give_their_place_back() {
    let _watchdog = watchdog(300);
    for (ledger, source) in sources(u64::MAX) {
        let mut pipe = pipeline! { source |> filter(|x| x % 1000 == 0) |> thread::queue(workers = 2, maxsize = 10) };
        // 12 results: 0, 1000, …, 11 000
        wait_until(|| ledger.pulled() >= 11_001);
        linger();
        assert!(ledger.pulled() <= 11_001 + 12, "{}", ledger.pulled());
        for _ in 0..5 {
            pipe.next();
        }
        wait_until(|| ledger.pulled() >= 16_001);
    }
}

#[test]
fn stacked_queues_add_up_their_bounds() {
    let _watchdog = watchdog(300);
    let mut random = Random::new(3);
    for _ in 0..rounds(10) {
        for (ledger, source) in sources(3000) {
            let (above, below) = ((random.size(3), random.size(40)), (random.size(3), random.size(40)));
            let (one, two) = (above.0 + above.1, below.0 + below.1);
            let mut pipe = pipeline! {
                source
                    |> thread::map(|x| { work(uneven(x) / 10); x }, above.0, above.1)
                    |> thread::map(|x| { work(uneven(x + 1) / 10); x }, below.0, below.1)
            };
            wait_until(|| ledger.ahead() >= one + two - slack(one));
            let mut got = 0;
            while ledger.next(&mut pipe).is_some() {
                got += 1;
            }
            assert_eq!(got, 3000);
            assert!(ledger.most() <= one + two, "{} > {above:?} + {below:?}", ledger.most());
        }
    }
}

/// One worker stands in its function, the others go on: the rest of the bound is theirs.
#[test]
fn a_slow_item_takes_one_place_only() {
    let _watchdog = watchdog(300);
    for (ledger, source) in sources(u64::MAX) {
        let slow = Gate::new();
        let gate = slow.clone();
        let f = move |x| {
            if x == 700 {
                gate.pass();
            }
            x
        };
        let mut pipe = pipeline! { source |> thread::map(f, workers = 2, maxsize = 100) };
        // all before it, and one after it: then it was pulled
        for _ in 0..700 {
            assert_ne!(ledger.next(&mut pipe), Some(700));
        }
        wait_until(|| slow.waiting() == 1);
        wait_until(|| ledger.ahead() >= 102 - slack(102));
        for _ in 0..1000 {
            assert_ne!(ledger.next(&mut pipe), Some(700));
        }
        wait_until(|| ledger.ahead() >= 102 - slack(102));
        assert!(ledger.most() <= 102);
        slow.open();
    }
}

#[test]
fn an_order_keeps_its_bound_while_items_flow() {
    let _watchdog = watchdog(300);
    let mut random = Random::new(4);
    for round in 0..rounds(8) {
        for window in MAXSIZES {
            let n = 50 + 3 * window as u64;
            for (ledger, source) in sources(n) {
                let (workers, maxsize) = (random.size(4), random.one_of(&[1, 8, 2000]));
                let costly = round % 2 == 1;
                let f = move |x| {
                    work(if costly { uneven(x) } else { 0 });
                    x
                };
                let mut pipe = pipeline! {
                    source |> o @ order::save(window) |> thread::map(f, workers, maxsize) |> order::load(o)
                };
                for x in 0..n {
                    assert_eq!(ledger.next(&mut pipe), Some(x));
                }
                assert_eq!(ledger.next(&mut pipe), None);
                assert!(ledger.most() <= window, "{} > {window}", ledger.most());
            }
        }
    }
}

/// Items that are filtered out close their tickets: the window goes on, and is never exceeded.
#[test]
fn an_order_keeps_its_bound_among_gaps() {
    let _watchdog = watchdog(300);
    for window in MAXSIZES {
        for (ledger, source) in sources(2000) {
            let pipe = pipeline! {
                source
                    |> o @ order::save(window)
                    |> filter(|x| x % 100 == 0)
                    |> thread::queue(workers = 2, maxsize = 50)
                    |> filter(|x| x % 200 == 0)
                    |> order::load(o)
            };
            let mut got = 0;
            for x in pipe {
                assert_eq!(x, 200 * got);
                got += 1;
                let seen = usize::try_from(x).unwrap() + 1;
                assert!(ledger.pulled() <= seen + window + 200, "{} > {seen} + {window} + 200", ledger.pulled());
            }
            assert_eq!((got, ledger.pulled()), (10, 2000));
        }
    }
}

#[test]
fn a_window_fills_up_and_stops() {
    let _watchdog = watchdog(300);
    let mut random = Random::new(5);
    for window in MAXSIZES {
        for (ledger, source) in sources(u64::MAX) {
            let mut pipe = pipeline! {
                source |> o @ order::save(window) |> thread::queue(workers = 2, maxsize = 2000) |> order::load(o)
            };
            fills_to(&ledger, window);
            for _ in 0..rounds(20) {
                consume(&ledger, &mut pipe, random.size(2 * window as u64));
                wait_until(|| ledger.ahead() >= window - slack(window));
            }
            assert!(ledger.most() <= window, "{} > {window}", ledger.most());
        }
    }
}

/// The smaller bound counts, whether it is the window's or the queue's.
#[test]
fn a_queue_bounds_what_is_in_a_wide_window() {
    let _watchdog = watchdog(300);
    for (ledger, source) in sources(u64::MAX) {
        let pipe = pipeline! {
            source |> o @ order::save(1000) |> thread::queue(workers = 2, maxsize = 5) |> order::load(o)
        };
        fills_to(&ledger, 7);
        drop(pipe);
    }
}

#[test]
fn a_window_that_is_changed_is_kept_too() {
    let _watchdog = watchdog(300);
    for (ledger, source) in sources(u64::MAX) {
        pipeline! {
            let mut pipe =
                source |> o @ order::save(64) |> thread::queue(workers = 3, maxsize = 2000) |> order::load(o);
        }
        fills_to(&ledger, 64);
        for (narrow, wide) in [(1, 100), (7, 1000), (2, 3)] {
            o.set_maxsize(narrow);
            assert_eq!(o.maxsize(), narrow);
            let ahead = ledger.ahead();
            // nothing is taken back, and nothing comes before that is used up
            consume(&ledger, &mut pipe, ahead.saturating_sub(narrow));
            ledger.forget_most();
            consume(&ledger, &mut pipe, 500);
            assert!(ledger.most() <= narrow, "{} > {narrow}", ledger.most());
            o.set_maxsize(wide);
            // by that alone, without a pull
            wait_until(|| ledger.ahead() >= wide - slack(narrow));
            linger();
            assert!(ledger.ahead() <= wide);
        }
    }
}

#[test]
fn nested_orders_keep_both_bounds() {
    let _watchdog = watchdog(300);
    for (outer, inner) in [(1, 8), (8, 1), (20, 6), (6, 20)] {
        for (ledger, source) in sources(1000) {
            let mut pipe = pipeline! {
                source
                    |> a @ order::save(outer)
                    |> thread::queue(workers = 2, maxsize = 500)
                    |> b @ order::save(inner)
                    |> thread::queue(workers = 3, maxsize = 500)
                    |> order::load(b)
                    |> order::load(a)
            };
            for x in 0..1000 {
                assert_eq!(ledger.next(&mut pipe), Some(x));
            }
            assert_eq!(ledger.next(&mut pipe), None);
            assert!(ledger.most() <= outer, "{} > {outer}", ledger.most());
        }
    }
}

/// Each track's queue has a bound of its own; together they are ahead by both.
#[test]
fn queues_on_a_shared_track_prefetch_each_for_itself() {
    let _watchdog = watchdog(300);
    for (ledger, source) in sources(u64::MAX) {
        pipeline! {
            let shared = source |> map(|x| x + 1);
            let one = shared |> thread::queue(workers = 2, maxsize = 3);
            let two = shared |> thread::queue(workers = 1, maxsize = 8);
        }
        fills_to(&ledger, 5 + 9);
        drop((shared, one, two));
    }
}

/// By hand as with the macro, and through stages that one thread at a time pulls.
#[test]
fn stages_between_source_and_queue_take_no_more() {
    let _watchdog = watchdog(300);
    for (ledger, source) in sources(u64::MAX) {
        let groups = tinypl::partition(thread::mutex(source), 3);
        let pipe = Pipeline::new(
            thread::map_init(groups, || 0, |sum: &mut usize, group| *sum += group.len()).workers(2).maxsize(4),
        );
        fills_to(&ledger, 6 * 3);
        drop(pipe);
    }
    for (ledger, source) in sources(u64::MAX) {
        let pipe = Pipeline::new(thread::queue(order::save(source, 5)).workers(2).maxsize(4));
        fills_to(&ledger, 5);
        drop(pipe);
    }
}
