//! What is finished flows, what can be done is done: no item waits for another that it does not depend on.
use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use tinypl::{Like, Pipe, Pipeline, Plain, order, pipeline, range, share, source, thread};
use tinypl_tests::{Gate, Ledger, Random, linger, rounds, uneven, wait_until, watchdog, work};

/// Numbers, each of which a test gives when it wants to.
fn fed() -> (mpsc::Sender<u64>, mpsc::IntoIter<u64>) {
    let (feed, numbers) = mpsc::channel();
    (feed, numbers.into_iter())
}

/// As many items as are quick with this bound: where it is small, each one may wait for a turn at a busy processor.
fn few(bound: usize) -> u64 {
    (100 + 20 * bound as u64).min(4000)
}

#[test]
fn everything_arrives_once() {
    let _watchdog = watchdog(300);
    let mut random = Random::new(1);
    for _ in 0..rounds(100) {
        let (workers, maxsize) = (random.size(4), random.size(300));
        let n = random.below(few(maxsize));
        let costly = random.below(2) == 0;
        let f = move |x| {
            work(if costly { uneven(x) / 3 } else { 0 });
            x
        };
        let mut got: Vec<u64> = match random.below(4) {
            0 => pipeline! { range(n) |> thread::map(f, workers, maxsize) |> collect() },
            1 => pipeline! { (0..n).inspect(|_| ()) |> thread::map(f, workers, maxsize) |> collect() },
            2 => pipeline! { range(n) |> thread::map(f, 2, maxsize) |> thread::map(f, workers, 3) |> collect() },
            _ => pipeline! { range(n) |> thread::map_init(|| 0, move |_, x| f(x), workers, maxsize) |> collect() },
        };
        got.sort_unstable();
        assert!(got.iter().copied().eq(0..n), "{n} items, {workers} workers, maxsize {maxsize}");
    }
}

#[test]
fn order_is_kept() {
    let _watchdog = watchdog(300);
    let mut random = Random::new(2);
    for _ in 0..rounds(100) {
        let (workers, maxsize, window) = (random.size(4), random.size(200), random.size(200));
        let n = random.below(few(maxsize.min(window)));
        let keep = random.one_of(&[1, 2, 3, 50, 10_000]);
        let costly = random.below(2) == 0;
        let f = move |x| {
            work(if costly { uneven(x) / 3 } else { 0 });
            x
        };
        let shape = random.below(4);
        let got: Vec<u64> = match shape {
            0 => pipeline! {
                range(n) |> o @ order::save(window) |> map(f) |> filter(move |x| x % keep == 0)
                    |> thread::queue(workers, maxsize) |> order::load(o) |> collect()
            },
            1 => pipeline! {
                range(n) |> o @ order::save(window) |> thread::map(f, workers, maxsize)
                    |> filter(|x| x % keep == 0) |> order::load(o) |> collect()
            },
            2 => pipeline! {
                (0..n).inspect(|_| ()) |> o @ order::save(window) |> filter(move |x| x % keep == 0)
                    |> thread::map(f, workers, maxsize) |> thread::map(f, 2, 3) |> order::load(o) |> collect()
            },
            _ => pipeline! {
                range(n) |> a @ order::save(window) |> filter(move |x| x % keep == 0) |> thread::queue(2, 7)
                    |> b @ order::save(1 + window / 2) |> thread::map(f, workers, maxsize)
                    |> order::load(b) |> order::load(a) |> collect()
            },
        };
        let expected = (0..n).filter(|x| x % keep == 0);
        assert!(
            got.iter().copied().eq(expected),
            "shape {shape}, {n} items, {workers} workers, maxsize {maxsize}, window {window}, every {keep}th: {got:?}"
        );
    }
}

/// The source gives item 2 only after the result of item 1 was seen.
#[test]
fn feedback_through_the_source() {
    let _watchdog = watchdog(300);
    for (workers, maxsize) in [(1, 1), (2, 1), (4, 16), (2, 1000)] {
        let (feed, numbers) = fed();
        let mut pipe = pipeline! { numbers |> thread::map(|x| x + 1, workers, maxsize) };
        for x in 0..500 {
            feed.send(x).unwrap();
            assert_eq!(pipe.next(), Some(x + 1));
        }
        drop(feed);
        assert_eq!(pipe.next(), None);

        let (feed, numbers) = fed();
        let mut pipe = pipeline! {
            numbers |> o @ order::save(8) |> thread::map(|x| x + 1, workers, maxsize) |> thread::queue(2) |> order::load(o)
        };
        for x in 0..500 {
            feed.send(x).unwrap();
            assert_eq!(pipe.next(), Some(x + 1));
        }
        drop(feed);
        assert_eq!(pipe.next(), None);
    }
}

/// The function takes a buffer from a pool, and the consumer gives it back. A result that hid behind the next item would
/// starve it.
#[test]
fn feedback_through_the_function() {
    let _watchdog = watchdog(300);
    for (workers, maxsize, buffers) in [(1, 100, 1), (2, 100, 1), (2, 1000, 3), (4, 100, 2), (2, 64, 64)] {
        let (give, pool) = mpsc::channel();
        (0..buffers).for_each(|buffer| give.send(buffer).unwrap());
        let pool = Mutex::new(pool);
        // cheap at first, so that chunks have grown when it gets tight
        let f = move |x| (x > 2000).then(|| pool.lock().unwrap().recv().unwrap());
        let pipe = pipeline! { range(5000) |> thread::map(f, workers, maxsize) };
        let seen = pipe.inspect(|buffer| buffer.iter().for_each(|buffer| give.send(*buffer).unwrap_or(())));
        assert_eq!(seen.count(), 5000);
    }
}

/// The same with an order, which may not have all buffers in the hands of items that wait for their turn: each worker
/// needs one, and one is left.
#[test]
fn feedback_through_the_function_in_order() {
    let _watchdog = watchdog(300);
    for (workers, window) in [(1, 1), (1, 64), (2, 8), (2, 64), (4, 100)] {
        let (give, pool) = mpsc::channel();
        (0..window).for_each(|buffer| give.send(buffer).unwrap());
        let pool = Mutex::new(pool);
        let f = move |x| (x > 2000).then(|| pool.lock().unwrap().recv().unwrap());
        let pipe = pipeline! {
            range(5000) |> o @ order::save(window) |> thread::map(f, workers, maxsize = 200) |> order::load(o)
        };
        let seen = pipe.inspect(|buffer| buffer.iter().for_each(|buffer| give.send(*buffer).unwrap_or(())));
        assert_eq!(seen.count(), 5000);
    }
}

/// Cheap items first, so that chunks grow; then each waits for a partner. What one worker has not started must not wait
/// on its desk for the partner that is behind it there.
#[test]
fn items_that_meet() {
    let _watchdog = watchdog(300);
    for round in 0..rounds(15) {
        for workers in [2, 3] {
            let n = 3000 + workers as u64 * (50 + round);
            let meet = Barrier::new(workers);
            let f = move |x| {
                if x >= 3000 {
                    meet.wait();
                }
                x
            };
            // the last ones find no further partner unless all places are used
            let pipe = pipeline! { range(n) |> thread::map(f, workers, maxsize = 600) };
            assert_eq!(pipe.count() as u64, n);
        }
    }
}

/// The slow item ends only when the consumer has seen all others.
#[test]
fn a_slow_item_holds_back_no_other() {
    let _watchdog = watchdog(300);
    for round in 0..rounds(15) {
        for sure in [false, true] {
            let slow = 1000 + 37 * round;
            let gate = Gate::new();
            let wait = gate.clone();
            let f = move |x| {
                if x == slow {
                    wait.pass();
                }
                x
            };
            let numbers = Ledger::new().source(5000, sure);
            let mut pipe = pipeline! { numbers |> thread::map(f, workers = 2, maxsize = 10_000) };
            let seen: HashSet<u64> = pipe.by_ref().take(4999).collect();
            assert!(seen.len() == 4999 && !seen.contains(&slow));
            gate.open();
            assert_eq!((pipe.next(), pipe.next()), (Some(slow), None));
        }
    }
}

/// With one worker nobody can do what comes after it; what came before it flows.
#[test]
fn what_is_finished_flows_while_its_worker_goes_on() {
    let _watchdog = watchdog(300);
    for slow in [0, 1, 2, 500, 1003, 4999] {
        for ordered in [false, true] {
            let gate = Gate::new();
            let wait = gate.clone();
            let f = move |x| {
                if x == slow {
                    wait.pass();
                }
                x
            };
            let check = |pipe: &mut dyn Iterator<Item = u64>| {
                assert!(pipe.take(slow as usize).eq(0..slow));
                gate.open();
                assert!(pipe.eq(slow..5000));
            };
            if ordered {
                check(&mut pipeline! {
                    range(5000) |> o @ order::save(3000) |> thread::map(f, 1, 2000) |> thread::queue(1, 500) |> order::load(o)
                });
            } else {
                check(&mut pipeline! { range(5000) |> thread::map(f, workers = 1, maxsize = 2000) });
            }
        }
    }
}

/// Through several queues, too.
#[test]
fn a_slow_item_holds_back_nothing_in_the_queue_below() {
    let _watchdog = watchdog(300);
    let gates = [Gate::new(), Gate::new()];
    let [one, two] = gates.clone();
    let pass = |gate: Gate, slow| {
        move |x| {
            if x == slow {
                gate.pass();
            }
            x
        }
    };
    let (one, two) = (pass(one, 700), pass(two, 1500));
    let mut pipe = pipeline! { range(3000) |> thread::map(one, 2, 5000) |> thread::map(two, 2, 5000) };
    let seen: HashSet<u64> = pipe.by_ref().take(2998).collect();
    assert!(seen.len() == 2998 && !seen.contains(&700) && !seen.contains(&1500));
    gates[0].open();
    assert_eq!(pipe.next(), Some(700));
    gates[1].open();
    assert_eq!((pipe.next(), pipe.next()), (Some(1500), None));
}

#[test]
fn an_order_whose_items_are_all_filtered_ends() {
    let _watchdog = watchdog(300);
    for window in [1, 2, 64] {
        let n = range(0, 1000);
        let left = pipeline! {
            n |> o @ order::save(window) |> filter(|_| false) |> thread::queue(2, 8) |> order::load(o) |> count()
        };
        assert_eq!(left, 0);
        let left = pipeline! {
            range(1000) |> o @ order::save(window) |> thread::queue(2, 8) |> filter(|_| false) |> order::load(o) |> count()
        };
        assert_eq!(left, 0);
        let left = pipeline! {
            range(1000)
                |> a @ order::save(window)
                |> thread::map(|x| x, 2)
                |> b @ order::save(3)
                |> filter_map(|_| None::<u8>)
                |> thread::queue(2)
                |> order::load(b)
                |> thread::mutex()
                |> thread::queue(3)
                |> order::load(a)
                |> count()
        };
        assert_eq!(left, 0);
    }
}

/// Item 1 is finished, item 0 is then filtered out, and the source waits. Nothing else comes that could wake who loads.
#[test]
fn a_gap_that_closes_late_lets_the_next_item_flow() {
    let _watchdog = watchdog(300);
    for round in 0..rounds(100) {
        let (feed, numbers) = fed();
        let gate = Gate::new();
        let wait = gate.clone();
        let done = Arc::new(AtomicUsize::new(0));
        let count = done.clone();
        let keep = move |x: &u64| {
            if *x == 0 {
                wait.pass();
            } else {
                count.fetch_add(1, SeqCst);
            }
            *x != 0
        };
        let mut pipe = pipeline! {
            numbers |> o @ order::save(8) |> filter(keep) |> thread::queue(workers = 2, maxsize = 8) |> order::load(o)
        };
        (0..3).for_each(|x| feed.send(x).unwrap());
        wait_until(|| gate.waiting() == 1 && done.load(SeqCst) == 2);
        std::thread::scope(|s| {
            let consumer = s.spawn(|| (pipe.next(), pipe.next()));
            // now and then the consumer is asleep, or not even there, when the gap closes
            match round % 3 {
                0 => linger(),
                1 => work(round),
                _ => {}
            }
            gate.open();
            assert_eq!(consumer.join().unwrap(), (Some(1), Some(2)));
        });
        drop(feed);
        assert_eq!(pipe.next(), None);
    }
}

/// All are filtered out but the one at hand, and the source gives the next only when that was seen.
#[test]
fn in_an_order_full_of_gaps_what_is_ready_flows_at_once() {
    let _watchdog = watchdog(300);
    for (workers, window) in [(1, 1), (2, 1), (2, 5), (4, 64)] {
        let (feed, numbers) = fed();
        let mut pipe = pipeline! {
            numbers
                |> o @ order::save(window)
                |> filter(|x| x % 10 == 0)
                |> thread::queue(workers, 16)
                |> order::load(o)
        };
        for x in (0..2000).step_by(10) {
            // the gaps before it, then itself
            (x.max(9) - 9..=x).for_each(|x| feed.send(x).unwrap());
            assert_eq!(pipe.next(), Some(x));
        }
        drop(feed);
        assert_eq!(pipe.next(), None);
    }
}

/// A shared stream in an order, of which one holder keeps item 0. The other ones give item 1 as soon as that is lost.
mod what_another_holder_loses {
    use super::*;

    #[test]
    fn while_load_waits_for_a_queue_above() {
        let _watchdog = watchdog(60);
        let (feed, numbers) = fed();
        let (seen, sees) = mpsc::channel();
        pipeline! { let track = numbers |> o @ order::save(8) |> thread::queue(1) |> share(); }
        let kept = track.clone();
        pipeline! { let keeper = kept |> take(1) |> k @ thread::queue(1); }
        feed.send(0).unwrap();
        wait_until(|| k.fill() == 1);
        feed.send(1).unwrap();
        let mut loaded = pipeline! { track |> each(move |x| seen.send(*x).unwrap()) |> order::load(o) };
        let puller = std::thread::spawn(move || {
            let first = loaded.next();
            feed.send(2).unwrap(); // there is no other signal before 1 was given
            drop(feed);
            (first, loaded.collect::<Vec<_>>())
        });
        assert_eq!(sees.recv(), Ok(1));
        linger();
        drop(keeper);
        assert_eq!(puller.join().unwrap(), (Some(1), vec![2]));
    }

    #[test]
    fn while_load_waits_for_its_turn() {
        let _watchdog = watchdog(60);
        let (feed, numbers) = fed();
        let [another, in_source] = [Gate::new(), Gate::new()];
        let (at_source, gate) = (in_source.clone(), another.clone());
        let source = numbers.chain(std::iter::from_fn(move || {
            at_source.pass();
            None
        }));
        pipeline! { let mut track = source |> o @ order::save(8) |> share(); }
        let kept = track.clone();
        pipeline! { let keeper = kept |> take(1) |> k @ thread::queue(1); }
        feed.send(0).unwrap();
        wait_until(|| k.fill() == 1);
        feed.send(1).unwrap();
        drop(feed);
        let clone = track.clone();
        let mut loaded = pipeline! { clone |> each(move |_| gate.pass()) |> order::load(o) };
        let puller = std::thread::spawn(move || (loaded.next(), loaded));
        wait_until(|| another.waiting() == 1); // it has taken 1
        let other = std::thread::spawn(move || track.next());
        wait_until(|| in_source.waiting() == 1);
        another.open(); // now it waits for the other's turn to end
        linger();
        drop(keeper);
        let (first, mut loaded) = puller.join().unwrap();
        assert_eq!(first, Some(1));
        in_source.open();
        assert_eq!((other.join().unwrap(), loaded.next()), (None, None));
    }

    /// What the function waits for is not given up.
    #[test]
    fn while_a_function_above_load_pulls_a_pipeline() {
        let _watchdog = watchdog(60);
        let (feed, numbers) = fed();
        let (inner, inners) = fed();
        let (seen, sees) = mpsc::channel();
        pipeline! { let track = numbers |> o @ order::save(8) |> thread::queue(1) |> share(); }
        let kept = track.clone();
        pipeline! { let keeper = kept |> take(1) |> k @ thread::queue(1); }
        feed.send(0).unwrap();
        wait_until(|| k.fill() == 1);
        [1, 2].into_iter().for_each(|x| feed.send(x).unwrap());
        drop(feed);
        let mut inside = Some(pipeline! { inners |> thread::queue(1) });
        let loaded = pipeline! {
            track
                |> map(move |x| {
                    seen.send(x).unwrap();
                    x + if x == 2 { inside.take().map_or(0, Iterator::sum) } else { 0 }
                })
                |> order::load(o)
        };
        let puller = std::thread::spawn(move || loaded.collect::<Vec<_>>());
        assert_eq!((sees.recv(), sees.recv()), (Ok(1), Ok(2)));
        linger();
        drop(keeper);
        linger();
        [10, 100].into_iter().for_each(|x| inner.send(x).unwrap());
        drop(inner);
        assert_eq!(puller.join().unwrap(), [1, 112]);
    }
}

#[test]
fn a_window_of_one() {
    let _watchdog = watchdog(300);
    for workers in [1, 2, 4] {
        for maxsize in [1, 100] {
            let pipe = pipeline! {
                range(300)
                    |> o @ order::save(1)
                    |> filter(|x| x % 3 > 0)
                    |> thread::map(|x| x + 1, workers, maxsize)
                    |> order::load(o)
            };
            assert!(pipe.eq((0..300).filter(|x| x % 3 > 0).map(|x| x + 1)));
        }
    }
}

#[test]
fn sixty_four_workers() {
    let _watchdog = watchdog(300);
    for maxsize in [1, 64, 1000] {
        assert_eq!(pipeline! { range(20_000) |> thread::map(|x| x + 1, 64, maxsize) |> count() }, 20_000);
        let f = |x| {
            work(uneven(x) / 3);
            x
        };
        let pipe = pipeline! {
            range(5000) |> o @ order::save(maxsize) |> thread::map(f, 64, maxsize) |> thread::queue(64) |> order::load(o)
        };
        assert!(pipe.eq(0..5000));
    }
    // all of them at the same item count: each has one in its hands
    let meet = Barrier::new(64);
    let f = move |x| {
        meet.wait();
        x
    };
    assert_eq!(pipeline! { range(640) |> thread::map(f, workers = 64, maxsize = 1) |> count() }, 640);
}

#[test]
fn the_window_changes_while_items_flow() {
    let _watchdog = watchdog(300);
    let mut random = Random::new(3);
    for _ in 0..rounds(10) {
        let n = 5000;
        pipeline! {
            let pipe = range(n) |> o @ order::save(1) |> thread::map(|x| { work(uneven(x) / 10); x }, 3, 50) |> order::load(o);
        }
        // by the consumer between two pulls, and by somebody else at any time
        let other = o.clone();
        let done = AtomicUsize::new(0);
        std::thread::scope(|s| {
            s.spawn(|| {
                let mut random = Random::new(4);
                while done.load(SeqCst) == 0 {
                    other.set_maxsize(random.size(80));
                    std::thread::yield_now();
                }
            });
            let in_order = pipe.inspect(|_| o.set_maxsize(random.size(60))).eq(0..n);
            done.store(1, SeqCst);
            assert!(in_order);
        });
    }
}

/// A worker that sleeps because the window is full is woken when it grows, though nobody pulls.
#[test]
fn a_window_that_grows_wakes_who_waits_for_it() {
    let _watchdog = watchdog(300);
    for _ in 0..rounds(30) {
        let ledger = Ledger::new();
        pipeline! {
            let pipe = ledger.source(u64::MAX, false) |> o @ order::save(1) |> thread::queue(2, 1000) |> order::load(o);
        }
        for window in [1, 2, 3, 50] {
            o.set_maxsize(window);
            wait_until(|| ledger.pulled() == window);
        }
        drop(pipe);
    }
}

#[test]
fn orders_nest_over_threads() {
    let _watchdog = watchdog(300);
    for (outer, inner) in [(1, 1), (2, 50), (50, 2), (100, 100)] {
        let f = |x| {
            work(uneven(x) / 5);
            x
        };
        let pipe = pipeline! {
            range(3000)
                |> a @ order::save(outer)
                |> thread::map(f, 2, 20)
                |> b @ order::save(inner)
                |> thread::map(f, 3, 10)
                |> filter(|x| x % 7 > 0)
                |> order::load(b)
                |> thread::map(f, 2, 5)
                |> order::load(a)
                |> c @ order::save(5)
                |> thread::map(f, 2, 5)
                |> order::load(c)
        };
        assert!(pipe.eq((0..3000).filter(|x| x % 7 > 0)));
    }
}

#[test]
fn an_order_is_loaded_in_another_block_and_thread() {
    let _watchdog = watchdog(300);
    pipeline! { let first = range(2000) |> o @ order::save(16) |> thread::map(|x| x + 1, 2); }
    pipeline! { let second = first |> filter(|x| x % 2 == 0) |> thread::map(|x| x * 2, 3); }
    let loaded = std::thread::spawn(move || pipeline! { second |> order::load(o) |> collect::<Vec<_>>() });
    let expected: Vec<_> = (1..=2000).filter(|x| x % 2 == 0).map(|x| x * 2).collect();
    assert_eq!(loaded.join().unwrap(), expected);
}

#[test]
fn an_order_is_loaded_piece_by_piece() {
    let _watchdog = watchdog(300);
    pipeline! { let mut pipe = range(2000) |> o @ order::save(16) |> thread::map(|x| x + 1, 3); }
    let mut all = Vec::new();
    while all.len() < 1000 {
        // what a load has taken early goes with it; the order goes on behind that
        let got: Vec<_> = pipeline! { &mut pipe |> order::load(o) |> take(10) |> collect() };
        assert!(got.is_sorted() && got.len() == 10);
        all.extend(got);
    }
    assert!(all.is_sorted(), "{all:?}");
}

/// Both get something, nothing is lost, nothing comes twice.
#[test]
fn two_tracks_pull_from_one_upstream_on_two_threads() {
    let _watchdog = watchdog(300);
    for (n, workers) in [(100, 0), (3000, 0), (3000, 2)] {
        pipeline! {
            let base = range(n) |> map(|x| x);
            let shared = base |> thread::queue(1 + workers, 20) |> share();
            let one = shared |> map(|x| x);
            let two = shared |> filter(|_| true) |> thread::queue(2, 5);
        }
        drop(shared);
        let (one, two) = std::thread::scope(|s| {
            let two = s.spawn(|| two.collect::<Vec<_>>());
            (one.collect::<Vec<_>>(), two.join().unwrap())
        });
        let all: HashSet<u64> = one.iter().chain(&two).copied().collect();
        assert_eq!((all.len() as u64, (one.len() + two.len()) as u64), (n, n));
        drop(base);
    }
}

#[test]
fn clones_of_a_share_pull_on_many_threads() {
    let _watchdog = watchdog(300);
    let shared = Pipeline::new(share(thread::queue(source(0..5000_u64)).workers(2).maxsize(7)));
    let all: Vec<Vec<u64>> = std::thread::scope(|s| {
        let pullers: Vec<_> = (0..4)
            .map(|_| {
                s.spawn({
                    let mine = shared.clone();
                    || mine.collect()
                })
            })
            .collect();
        pullers.into_iter().map(|puller| puller.join().unwrap()).collect()
    });
    assert!(all.iter().all(|one| one.len() < 5000 || all.iter().filter(|other| other.is_empty()).count() == 3));
    let mut all = all.concat();
    all.sort_unstable();
    assert!(all.into_iter().eq(0..5000));
}

/// The upstream is blocked in a wait of ours: each track's queue has workers in it, one at the turn, others behind.
#[test]
fn one_of_several_shared_tracks_is_stopped_while_the_upstream_waits() {
    let _watchdog = watchdog(300);
    for round in 0..rounds(30) {
        let (feed, numbers) = fed();
        // the queue above has nothing to give: whoever pulls from it sleeps there
        pipeline! {
            let shared = numbers |> thread::queue(workers = 1, maxsize = 4);
            let mut one = shared |> thread::queue(workers = 2, maxsize = 4);
            let mut two = shared |> o @ order::save(4) |> thread::queue(workers = 2, maxsize = 4) |> order::load(o);
            let three = shared |> map(|x| x);
        }
        drop(shared);
        if round % 2 == 0 {
            linger();
        }
        if round % 4 < 2 {
            one.stop();
        }
        drop(one);
        feed.send(1).unwrap();
        drop(feed);
        // whoever is left gets it
        assert_eq!(two.by_ref().count() + three.count(), 1);
    }
}

/// The upstream's order is full, and its window opens only by what nobody pulls.
#[test]
fn a_shared_track_is_stopped_while_the_window_is_full() {
    let _watchdog = watchdog(300);
    for _ in 0..rounds(20) {
        pipeline! {
            let shared = range(100) |> o @ order::save(3) |> thread::queue(2, 50);
            let mut one = shared |> thread::queue(workers = 2, maxsize = 50);
        }
        let mut two = pipeline! { one.by_ref() |> order::load(o) };
        assert_eq!(two.next(), Some(0));
        drop(two);
        one.stop();
        drop((one, shared));
    }
}

/// Not even to make a track is there anything to wait for.
#[test]
fn a_track_is_made_while_another_one_waits() {
    let _watchdog = watchdog(120);
    let (feed, numbers) = fed();
    pipeline! {
        let shared = numbers |> thread::queue(1);
        let one = shared |> thread::queue(1);
    }
    // the worker of `one` sleeps in the queue above
    linger();
    let two = pipeline! { shared.clone() |> thread::queue(1) };
    let three = pipeline! { shared |> map(|x| x) };
    (0..10).for_each(|x| feed.send(x).unwrap());
    drop(feed);
    assert_eq!(one.count() + two.count() + three.count(), 10);
}

#[test]
fn a_rate_limit_is_left_when_its_tracks_stop() {
    let _watchdog = watchdog(120);
    pipeline! {
        let shared = range(3) |> ratelimit(1, std::time::Duration::from_secs(3600));
        let mut one = shared |> thread::queue(workers = 2);
        let mut two = shared |> thread::queue(workers = 2);
    }
    drop(shared);
    // one worker waits for the hour to pass, the others for their turn
    linger();
    one.stop();
    two.stop();
    assert_eq!((one.next(), two.next()), (None, None));
}

#[test]
fn the_consumer_is_on_another_thread_than_the_builder() {
    let _watchdog = watchdog(300);
    let mut pipe = pipeline! { range(3000) |> o @ order::save(9) |> thread::map(|x| x + 1, 2, 3) |> order::load(o) };
    assert_eq!(pipe.next(), Some(1));
    let rest = std::thread::spawn(move || {
        assert_eq!(pipe.next(), Some(2));
        pipe
    });
    assert!(rest.join().unwrap().eq(3..=3000));
}

/// At every pull another thread has it; it ends on yet another one.
#[test]
fn a_pipeline_goes_from_thread_to_thread() {
    let _watchdog = watchdog(300);
    fn numbers() -> Pipeline<impl Plain<Item = u64> + Send> {
        pipeline! { range(200) |> thread::queue(2, 5) |> thread::mutex() |> thread::map(|x| x, 2, 5) }
    }
    let mut pipe = numbers();
    let mut all = HashSet::new();
    loop {
        let (item, back) = std::thread::spawn(move || (pipe.next(), pipe)).join().unwrap();
        pipe = back;
        match item {
            Some(x) => assert!(all.insert(x)),
            None => break,
        }
    }
    assert_eq!(all.len(), 200);
}

/// A pipeline whose items are pipelines.
#[test]
fn pipelines_are_items() {
    let _watchdog = watchdog(300);
    let total = pipeline! {
        range(20)
            |> map(|n| pipeline! { range(n) |> thread::map(|x| x + 1, 2, 3) })
            |> thread::queue(2, 4)
            |> map(|inner| inner.count() as u64)
            |> thread::map(|n| pipeline! { range(n) |> thread::queue(2) |> count() }, 2, 4)
            |> fold(0, |a, b| a + b)
    };
    assert_eq!(total, (0..20).sum::<usize>());
}

#[test]
fn a_queue_below_a_shared_track_below_a_queue() {
    let _watchdog = watchdog(300);
    for (workers, maxsize) in [(1, 1), (2, 8), (4, 300)] {
        pipeline! {
            let shared = range(5000) |> thread::map(|x| x + 1, workers, maxsize);
            let one = shared |> o @ order::save(10) |> thread::map(|x| x, workers, maxsize) |> order::load(o);
            let two = shared |> thread::map(|x| x, workers, maxsize) |> partition(3) |> flatten();
        }
        drop(shared);
        let (one, two) = std::thread::scope(|s| {
            let one = s.spawn(|| one.collect::<Vec<_>>());
            (two.collect::<Vec<_>>(), one.join().unwrap())
        });
        let mut all = [one, two].concat();
        all.sort_unstable();
        assert!(all.into_iter().eq(1..=5000));
    }
}

/// An own stage between queues, with markers that pass through all of it.
#[test]
fn markers_pass_queues_in_their_places() {
    let _watchdog = watchdog(300);
    fn twice<P: Pipe<Item = u64>>(up: P) -> impl Like<P, Item = u64> {
        tinypl::map(up, |x| 2 * x)
    }
    let marks = AtomicUsize::new(0);
    pipeline! {
        let mut pipe = range(600)
            |> m @ marker::insert_periodic(10)
            |> o @ order::save(25)
            |> twice()
            |> thread::queue(3, 8)
            |> filter(|x| x % 3 == 0)
            |> thread::queue(2, 8)
            |> order::load(o);
    }
    for group in 0..60 {
        let got: Vec<u64> = pipeline! { &mut pipe |> marker::until(m) |> collect() };
        assert!(got.into_iter().eq((10 * group..10 * group + 10).map(|x| 2 * x).filter(|x| x % 3 == 0)));
        marks.fetch_add(1, SeqCst);
    }
    assert_eq!((pipe.next(), marks.into_inner()), (None, 60));
}

#[test]
fn by_hand_an_order_over_threads() {
    let _watchdog = watchdog(300);
    let mut save = order::save(range(0, 1000), 7);
    let o = save.handle();
    let pipe = Pipeline::new(order::load(thread::map(save, |x| x + 1).workers(3).maxsize(4), &o));
    assert!(pipe.eq(1..=1000));
}
