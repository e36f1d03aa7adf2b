//! `thread::` and `process::` differ by one word: the same cases, run for both.
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;
use tinypl::{Error, Like, Pipe, Pipeline, pipeline};
use tinypl_tests::{Ledger, Random, child, is_child, linger, rounds, signals, uneven, wait_until, watchdog, work};

/// Far above what a test needs, even among many others on a busy machine.
const LIMIT: u64 = 300;
/// A stop that waits until it runs out of patience doesn't end within the limit.
const HOUR: Duration = Duration::from_secs(3600);

fn sorted<T: Ord>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut all: Vec<T> = items.collect();
    all.sort_unstable();
    all
}

/// All that comes before the error, and the error, which has to be the same ever after.
#[track_caller]
fn until_error<P: Pipe>(mut pipe: Pipeline<P>) -> (Vec<P::Item>, Error) {
    let mut items = Vec::new();
    loop {
        match pipe.try_next() {
            Ok(Some(x)) => items.push(x),
            Ok(None) => panic!("it ended without an error"),
            Err(error) => {
                let again = pipe.try_next().err().map(|again| again.to_string());
                assert_eq!(again, Some(error.to_string()));
                return (items, error);
            }
        }
    }
}

/// Message, item, line, and whether it was a panic.
fn facts(error: &Error) -> (&str, Option<u64>, Option<u32>, bool) {
    (error.message(), error.item(), error.location().map(|place| place.line()), error.is_panic())
}

fn boom_at_7(x: u64) -> u64 {
    assert!(x != 7, "boom at {x}");
    x
}

/// One of each kind that serde knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Shape {
    Nothing,
    Text(String),
    Pair(i8, f64),
    Record { name: Option<String>, parts: Vec<Shape>, counts: BTreeMap<char, u128> },
}

fn shape(n: usize) -> Shape {
    match n % 4 {
        0 => Shape::Nothing,
        1 => Shape::Text("ä€😀".repeat(n)),
        2 => Shape::Pair(-(n as i8), n as f64 / 3.0),
        _ => {
            let parts = (0..n % 7).map(shape).collect();
            let counts = "hello".chars().map(|c| (c, u128::MAX - n as u128)).collect();
            Shape::Record { name: (n % 8 == 3).then(|| n.to_string()), parts, counts }
        }
    }
}

/// Writes down every stage and word for `thread` or `process`.
macro_rules! suite {
    ($($word:ident)*) => {$(
        mod $word {
            use super::*;

            /// An own stage made of a built-in one.
            fn doubled<P: Pipe<Item = u64> + Send + Sync + 'static>(up: P) -> impl Like<P, Item = u64> {
                tinypl::$word::map(up, |x| 2 * x).workers(2)
            }

            mod what_comes_out {
                use super::*;

                #[test]
                fn every_item_once() {
                    let _watchdog = watchdog(LIMIT);
                    for (workers, maxsize) in [(1, 1), (1, 8), (3, 1), (2, 8), (8, 2), (3, 1000)] {
                        let pipe = pipeline! { range(300) |> $word::map(|x| 3 * x + 1, workers, maxsize) };
                        assert_eq!(sorted(pipe), (0..300).map(|x| 3 * x + 1).collect::<Vec<_>>());
                    }
                }

                #[test]
                fn without_maxsize() {
                    let _watchdog = watchdog(LIMIT);
                    let sum = pipeline! { range(1000_u64) |> $word::map(|x| x + 1, workers = 2) |> fold(0, |a, b| a + b) };
                    assert_eq!(sum, 500_500);
                }

                #[test]
                fn of_nothing_nothing() {
                    let _watchdog = watchdog(LIMIT);
                    assert_eq!(pipeline! { range(0) |> $word::map(|x| x + 1, 3) |> count() }, 0);
                    assert_eq!(pipeline! { Vec::<u8>::new() |> $word::each(|_| (), 1, 1) |> count() }, 0);
                    let mut pipe = pipeline! { std::iter::empty::<u8>() |> $word::map(|x| x, 2) };
                    assert_eq!((pipe.next(), pipe.next(), pipe.next()), (None, None, None));
                }

                #[test]
                fn of_one_item_one() {
                    let _watchdog = watchdog(LIMIT);
                    assert_eq!(pipeline! { [5] |> $word::map(|x| x + 1, 8) |> collect::<Vec<_>>() }, [6]);
                    let mut pipe = pipeline! { Some(5) |> $word::map(|x| x + 1, 1, 1) };
                    assert_eq!((pipe.next(), pipe.next(), pipe.next()), (Some(6), None, None));
                }

                #[test]
                fn each_passes_the_items_on() {
                    let _watchdog = watchdog(LIMIT);
                    let words = ["to", "be", "or", "not"].map(str::to_owned);
                    let pipe = pipeline! { words.clone() |> $word::each(|word| assert!(word.len() < 4), workers = 2) };
                    assert_eq!(sorted(pipe), ["be", "not", "or", "to"]);
                }

                #[test]
                fn map_init_makes_a_state_for_each_worker() {
                    let _watchdog = watchdog(LIMIT);
                    let counts = pipeline! {
                        range(20) |> $word::map_init(|| 0, |n, _| { *n += 1; *n }, workers = 1) |> collect::<Vec<_>>()
                    };
                    assert_eq!(counts, (1..=20).collect::<Vec<_>>());
                    let pipe = pipeline! {
                        range(100) |> $word::map_init(Vec::new, |seen, x| { seen.push(x); seen.clone() }, workers = 3)
                    };
                    let seen: Vec<Vec<i32>> = pipe.collect();
                    // each item is the last of what its worker had seen, and the first of three at most
                    assert_eq!(sorted(seen.iter().map(|seen| *seen.last().unwrap())), (0..100).collect::<Vec<_>>());
                    assert!((1..=3).contains(&seen.iter().filter(|seen| seen.len() == 1).count()));
                }

                #[test]
                fn functions_by_name() {
                    let _watchdog = watchdog(LIMIT);
                    fn area((a, b): (u32, u32)) -> u32 {
                        a * b
                    }
                    let sides = [(1, 2), (3, 4)];
                    assert_eq!(sorted(pipeline! { sides |> $word::map(area, workers = 2) }), [2, 12]);
                    let numbers = ["1", "20", "x"].map(String::from);
                    let pipe = pipeline! { numbers |> $word::map(|text| text.parse::<u8>().ok(), 2) |> $word::map(Option::unwrap_or_default, 2) };
                    assert_eq!(sorted(pipe), [0, 1, 20]);
                }

                #[test]
                fn whatever_serde_can_carry() {
                    let _watchdog = watchdog(LIMIT);
                    let shapes: Vec<Shape> = (0..60).map(shape).collect();
                    let back: Vec<Shape> = pipeline! {
                        shapes.clone() |> o @ order::save(16)
                            |> $word::map(|shape| (Some(shape.clone()), [shape]), workers = 2)
                            |> $word::map(|(a, [b])| { assert_eq!(a.as_ref(), Some(&b)); Box::new(b) }, workers = 2)
                            |> order::load(o) |> map(|shape| *shape) |> collect()
                    };
                    assert_eq!(back, shapes);
                    let units: Vec<()> = pipeline! { range(9) |> $word::map(|_| (), workers = 2) |> collect() };
                    assert_eq!(units.len(), 9);
                    let results = pipeline! { [1_u8, 0] |> $word::map(|x| 6_u8.checked_div(x).ok_or("no".to_owned()), 1) };
                    assert_eq!(sorted(results), [Ok(6), Err("no".to_owned())]);
                }

                #[test]
                fn large_items_among_small_ones() {
                    let _watchdog = watchdog(LIMIT);
                    fn large(n: usize) -> usize {
                        if n % 10 == 3 { 1 << 20 } else { n }
                    }
                    let lengths: Vec<usize> = pipeline! {
                        range(40_usize) |> map(|n| vec![n as u8; large(n)]) |> o @ order::save(8)
                            |> $word::map(|mut bytes: Vec<u8>| { bytes.reverse(); bytes }, workers = 2)
                            |> order::load(o) |> map(|bytes: Vec<u8>| bytes.len()) |> collect()
                    };
                    assert_eq!(lengths, (0..40).map(large).collect::<Vec<_>>());
                }

                #[test]
                fn items_that_cost_differently() {
                    let _watchdog = watchdog(LIMIT);
                    let all: Vec<u64> = pipeline! {
                        range(2000) |> o @ order::save(64) |> $word::map(|x| { work(uneven(x)); x }, 3, 32)
                            |> order::load(o) |> collect()
                    };
                    assert_eq!(all, (0..2000).collect::<Vec<_>>());
                }

                #[test]
                fn a_pipeline_within_a_function() {
                    let _watchdog = watchdog(LIMIT);
                    let sums = pipeline! {
                        range(12_u64)
                            |> $word::map(|n| pipeline! { range(n) |> thread::map(|x| x + 1, 2) |> fold(0, |a, b| a + b) }, 2)
                    };
                    assert_eq!(sorted(sums), (0..12).map(|n| n * (n + 1) / 2).collect::<Vec<_>>());
                }
            }

            mod among_other_stages {
                use super::*;

                #[test]
                fn stacked() {
                    let _watchdog = watchdog(LIMIT);
                    let pipe = pipeline! {
                        range(200) |> $word::map(|x| x + 1, workers = 2, maxsize = 4) |> map(|x| 2 * x)
                            |> $word::map(|x| x - 1, workers = 3, maxsize = 1)
                    };
                    assert_eq!(sorted(pipe), (0..200).map(|x| 2 * x + 1).collect::<Vec<_>>());
                }

                #[test]
                fn between_thread_queues() {
                    let _watchdog = watchdog(LIMIT);
                    let pipe = pipeline! {
                        range(200) |> thread::map(|x| x + 1, 2, 3) |> filter(|x| x % 2 == 0)
                            |> $word::map(|x| 10 * x, 2, 3) |> map(|x| x + 1) |> thread::queue(2, 2) |> skip(1)
                    };
                    let all = sorted(pipe);
                    assert_eq!((all.len(), all.iter().all(|x| x % 20 == 1)), (99, true));
                }

                #[test]
                fn below_and_above_each_serial_stage() {
                    let _watchdog = watchdog(LIMIT);
                    let pipe = pipeline! {
                        range(60) |> skip(10) |> enumerate() |> map(|(i, x): (usize, i32)| { assert_eq!(i as i32 + 10, x); x })
                            |> chain(0..10) |> zip(1..) |> map(|(x, _)| x) |> partition(3) |> flatten() |> each(|_| ())
                            |> try_map(u16::try_from) |> filter_map(|x: u16| (x != 5).then_some(x)) |> take(59)
                            |> $word::map(|x| x, 2)
                            |> partition(7) |> flatten_eager() |> enumerate() |> map(|(_, x)| x) |> chain([5]) |> share()
                    };
                    assert_eq!(sorted(pipe), (0..60).collect::<Vec<_>>());
                }

                #[test]
                fn in_an_own_stage() {
                    let _watchdog = watchdog(LIMIT);
                    let all: Vec<u64> = pipeline! {
                        range(50) |> o @ order::save(8) |> doubled() |> doubled() |> order::load(o) |> collect()
                    };
                    assert_eq!(all, (0..50).map(|x| 4 * x).collect::<Vec<_>>());
                    let marked = pipeline! {
                        range(6) |> m @ marker::insert_periodic(2) |> o @ order::save(4) |> doubled() |> order::load(o)
                            |> marker::on(|| (), m)
                    };
                    assert_eq!(signals(marked), "0 2 * 4 6 * 8 10 *");
                }

                #[test]
                fn a_source_that_changes_what_it_captured() {
                    let _watchdog = watchdog(LIMIT);
                    let mut n = 0;
                    let source = std::iter::from_fn(move || { n += 1; (n <= 100).then_some(n) });
                    let mut sum = 0;
                    let pipe = pipeline! {
                        source |> map(move |x| { sum += x; sum }) |> thread::mutex() |> $word::map(|x| x + 1, workers = 2)
                    };
                    assert_eq!(sorted(pipe), (1..=100).map(|n| n * (n + 1) / 2 + 1).collect::<Vec<_>>());
                }

                #[test]
                fn a_closure_below_that_changes_what_it_captured() {
                    let _watchdog = watchdog(LIMIT);
                    let mut sum = 0;
                    let n = pipeline! { range(100) |> $word::map(|x| x + 1, workers = 2) |> each(|x| sum += x) |> count() };
                    assert_eq!((n, sum), (100, 5050));
                }

                #[test]
                fn what_is_borrowed_in_a_scope_above() {
                    let _watchdog = watchdog(LIMIT);
                    let text = String::from("to be or not to be");
                    let suffix = String::from("!");
                    let letters = std::thread::scope(|s| {
                        pipeline! {
                            text.split(' ') |> map(|word| format!("{word}{suffix}"))
                                |> $word::map(|word| word.len(), workers = 2, scope = s) |> fold(0, |a, b| a + b)
                        }
                    });
                    assert_eq!(letters, 13 + 6);
                }

                #[test]
                fn several_stages_share_a_scope() {
                    let _watchdog = watchdog(LIMIT);
                    let numbers = vec![1, 2, 3];
                    let all = std::thread::scope(|s| {
                        pipeline! {
                            let first = &numbers |> map(|x| *x) |> $word::map(|x| 10 * x, workers = 2, scope = s);
                            let second = first |> $word::each(|_| (), workers = 1, scope = s);
                        }
                        drop(first);
                        sorted(second)
                    });
                    assert_eq!(all, [10, 20, 30]);
                }

                #[test]
                fn tracks_that_share() {
                    let _watchdog = watchdog(LIMIT);
                    pipeline! {
                        let mut all = range(60) |> $word::map(|x| x + 1, workers = 2);
                        let odd = all |> filter(|x| x % 2 == 1) |> $word::map(|x| x, workers = 1, maxsize = 1);
                    }
                    let mut got: Vec<i32> = all.by_ref().take(20).collect();
                    got.extend(odd);
                    assert!(got.iter().skip(20).all(|x| x % 2 == 1));
                    assert!(sorted(got.into_iter()).windows(2).all(|pair| pair[0] < pair[1]));
                    assert_eq!(all.next(), None);
                }

                #[test]
                fn two_stages_on_one_track_share_its_items() {
                    let _watchdog = watchdog(LIMIT);
                    pipeline! {
                        let numbers = range(100);
                        let left = numbers |> $word::map(|x| x, workers = 1);
                        let right = numbers |> $word::map(|x| x, workers = 2);
                    }
                    drop(numbers);
                    assert_eq!(sorted(left.chain(right)), (0..100).collect::<Vec<_>>());
                }

                #[test]
                fn halves_in_two_blocks() {
                    let _watchdog = watchdog(LIMIT);
                    let upper = pipeline! { range(100) |> map(|x| x + 1) |> $word::map(|x| 2 * x, workers = 2) |> filter(|x| x % 3 == 0) };
                    let lower = pipeline! { upper |> thread::queue(workers = 2, maxsize = 4) |> map(|x| x / 2) };
                    let last = pipeline! { lower |> $word::each(|x| assert!(*x < 101), workers = 2) |> thread::map(|x| x + 1, 2) };
                    assert_eq!(sorted(last), (1..=100).filter(|x| x % 3 == 0).map(|x| x + 1).collect::<Vec<_>>());
                    pipeline! { let upper = range(50) |> o @ order::save(8) |> $word::map(|x| x + 1, workers = 3); }
                    let all: Vec<i32> = pipeline! { upper |> thread::queue(2) |> $word::map(|x| x, 2) |> order::load(o) |> collect() };
                    assert_eq!(all, (1..=50).collect::<Vec<_>>());
                }

                #[test]
                fn a_borrowed_pipeline() {
                    let _watchdog = watchdog(LIMIT);
                    let mut pipe = pipeline! { range(100) |> $word::map(|x| x + 1, workers = 2) };
                    let mut all: Vec<i32> = pipeline! { &mut pipe |> take(10) |> collect() };
                    assert_eq!(all.len(), 10);
                    all.extend(pipe);
                    assert_eq!(sorted(all.into_iter()), (1..=100).collect::<Vec<_>>());
                    let mut pipe = pipeline! { range(100) |> map(|x| x + 1) };
                    let first: Vec<i32> = std::thread::scope(|s| {
                        pipeline! { &mut pipe |> $word::map(|x| x, workers = 1, maxsize = 4, scope = s) |> take(10) |> collect() }
                    });
                    assert_eq!(first, (1..=10).collect::<Vec<_>>());
                    // what was prefetched goes with the stage: at most `maxsize` and one in the worker's hands
                    let next = pipe.next().unwrap();
                    assert!((11..=16).contains(&next), "{next}");
                }
            }

            mod orders_and_markers {
                use super::*;

                #[test]
                fn an_order_survives() {
                    let _watchdog = watchdog(LIMIT);
                    for (saved, workers, maxsize) in [(1, 1, 1), (2, 8, 1), (16, 3, 4), (1000, 2, 1000)] {
                        let all: Vec<i32> = pipeline! {
                            range(300) |> o @ order::save(saved) |> $word::map(|x| x + 1, workers, maxsize) |> order::load(o)
                                |> collect()
                        };
                        assert_eq!(all, (1..=300).collect::<Vec<_>>());
                    }
                }

                #[test]
                fn an_order_survives_filters_and_stacks() {
                    let _watchdog = watchdog(LIMIT);
                    let all: Vec<i32> = pipeline! {
                        range(400) |> o @ order::save(16) |> filter(|x| x % 3 != 0) |> $word::map(|x| 2 * x, 2, 8)
                            |> filter_map(|x: i32| (x % 4 == 0).then_some(x)) |> $word::each(|_| (), 3, 2) |> thread::queue(2, 3)
                            |> filter(|x| x % 5 != 0) |> order::load(o) |> collect()
                    };
                    let expected: Vec<i32> =
                        (0..400).filter(|x| x % 3 != 0).map(|x| 2 * x).filter(|x| x % 4 == 0 && x % 5 != 0).collect();
                    assert_eq!(all, expected);
                }

                #[test]
                fn nested_orders() {
                    let _watchdog = watchdog(LIMIT);
                    let all: Vec<i32> = pipeline! {
                        range(200) |> a @ order::save(32) |> $word::map(|x| x + 1, 2, 4)
                            |> b @ order::save(8) |> filter(|x| x % 7 != 0) |> $word::map(|x| x + 1, 2, 4) |> order::load(b)
                            |> $word::map(|x| x + 1, 2, 1) |> order::load(a) |> collect()
                    };
                    assert_eq!(all, (0..200).filter(|x| (x + 1) % 7 != 0).map(|x| x + 3).collect::<Vec<_>>());
                }

                #[test]
                fn markers_go_round_the_workers() {
                    let _watchdog = watchdog(LIMIT);
                    let expected = signals(pipeline! { range(25) |> map(|x| x * x) |> marker::insert_periodic(4) });
                    let marked = pipeline! {
                        range(25) |> marker::insert_periodic(4) |> o @ order::save(9) |> $word::map(|x| x * x, 2, 3) |> order::load(o)
                    };
                    assert_eq!(signals(marked), expected);
                    // without an order all come, wherever
                    let unordered = pipeline! { range(25) |> marker::insert_periodic(1, after = false) |> $word::map(|x| x, 2, 3) };
                    let text = signals(unordered);
                    assert_eq!((text.matches('*').count(), text.split(' ').count()), (25, 50));
                }

                #[test]
                fn markers_are_seen_and_waited_for_below() {
                    let _watchdog = watchdog(LIMIT);
                    let mut passed = 0;
                    let first: Vec<i32> = pipeline! {
                        range(40) |> m @ marker::insert_periodic(10) |> n @ marker::insert_periodic(3) |> o @ order::save(8)
                            |> $word::map(|x| x, 2) |> order::load(o) |> marker::on(|| passed += 1, n) |> marker::until(m) |> collect()
                    };
                    assert_eq!((first, passed), ((0..10).collect(), 3));
                    pipeline! {
                        let mut pipe = range(30) |> m @ marker::insert_periodic(10) |> o @ order::save(4) |> $word::map(|x| x, 3)
                            |> order::load(o);
                    }
                    for epoch in 0..3 {
                        let items: Vec<i32> = pipeline! { &mut pipe |> marker::until(m) |> collect() };
                        assert_eq!(items, (10 * epoch..10 * epoch + 10).collect::<Vec<_>>());
                    }
                    assert_eq!(pipe.next(), None);
                }

                #[test]
                fn markers_part_groups() {
                    let _watchdog = watchdog(LIMIT);
                    let groups: Vec<Vec<i32>> = pipeline! {
                        range(10) |> marker::insert_periodic(4) |> o @ order::save(4) |> $word::map(|x| x, 2) |> order::load(o)
                            |> partition(3, split_on_marker = true) |> collect()
                    };
                    assert_eq!(groups, [vec![0, 1, 2], vec![3], vec![4, 5, 6], vec![7], vec![8, 9]]);
                }
            }

            mod bounds {
                use super::*;

                #[test]
                fn no_more_is_pulled_than_its_bound_and_that_much_is() {
                    let _watchdog = watchdog(LIMIT);
                    for (workers, maxsize) in [(1, 1), (2, 1), (1, 8), (3, 50)] {
                        for sure in [false, true] {
                            let (ledger, bound) = (Ledger::new(), maxsize + workers);
                            let mut pipe = pipeline! { ledger.source(u64::MAX, sure) |> $word::map(|x| x, workers, maxsize) };
                            wait_until(|| ledger.ahead() >= bound);
                            linger();
                            assert_eq!(ledger.ahead(), bound);
                            for _ in 0..20 {
                                assert!(ledger.next(&mut pipe).is_some());
                            }
                            // who gives back tells it now and then
                            wait_until(|| ledger.ahead() + (bound / 16).min(32) >= bound);
                            drop(pipe);
                            assert!(ledger.most() <= bound, "{} > {maxsize} + {workers}", ledger.most());
                        }
                    }
                }

                #[test]
                fn nothing_is_pulled_before_the_pipeline_is_made() {
                    let _watchdog = watchdog(LIMIT);
                    let ledger = Ledger::new();
                    let stage = tinypl::$word::map(ledger.source(100, true), |x| x).workers(2).maxsize(4);
                    linger();
                    drop(stage);
                    assert_eq!(ledger.pulled(), 0);
                }

                #[test]
                fn an_orders_bound_holds() {
                    let _watchdog = watchdog(LIMIT);
                    let ledger = Ledger::new();
                    pipeline! {
                        let mut pipe = ledger.source(u64::MAX, true) |> o @ order::save(3) |> $word::map(|x| x, 2, 100) |> order::load(o);
                    }
                    wait_until(|| ledger.ahead() >= 3);
                    linger();
                    assert_eq!(ledger.ahead(), 3);
                    o.set_maxsize(5);
                    assert!(ledger.next(&mut pipe).is_some());
                    wait_until(|| ledger.ahead() >= 5);
                    drop(pipe);
                    assert!(ledger.most() <= 5, "{}", ledger.most());
                }

                #[test]
                fn the_handle_tells() {
                    let _watchdog = watchdog(LIMIT);
                    pipeline! { let mut pipe = range(u64::MAX) |> q @ $word::map(|x| x, workers = 3, maxsize = 5); }
                    wait_until(|| q.fill() == 5 && q.workers() == 3);
                    assert_eq!(q.maxsize(), 5);
                    assert!(pipe.next().is_some());
                    pipe.stop();
                    assert_eq!((q.workers(), q.fill()), (0, 0));
                }
            }

            mod ends {
                use super::*;

                #[test]
                fn dropped_or_stopped_anywhere() {
                    let _watchdog = watchdog(LIMIT);
                    let mut random = Random::new(7);
                    for round in 0..rounds(12) {
                        let (workers, maxsize) = (random.size(4), random.one_of(&[1, 2, 8, 100]));
                        let cut = random.below(150);
                        pipeline! {
                            let mut pipe = range(100) |> marker::insert_periodic(7) |> o @ order::save(maxsize) |> filter(|x| x % 5 != 0)
                                |> q @ $word::map(|x| { work(uneven(x)); x }, workers, maxsize, end_timeout = HOUR) |> order::load(o);
                        }
                        let taken: Vec<u64> = pipe.by_ref().take(cut as usize).collect();
                        assert_eq!(taken, (0..100).filter(|x| x % 5 != 0).take(cut as usize).collect::<Vec<_>>());
                        if round % 2 == 0 {
                            pipe.stop();
                            assert_eq!(pipe.next(), None);
                        } else {
                            drop(pipe);
                        }
                        assert_eq!(q.workers(), 0);
                    }
                }

                #[test]
                fn dropped_before_anything_was_pulled() {
                    let _watchdog = watchdog(LIMIT);
                    for n in [0, 1, u64::MAX, 1, u64::MAX] {
                        pipeline! {
                            let pipe = range(n) |> a @ $word::map(|x| x, 2, 2, end_timeout = HOUR)
                                |> b @ $word::map(|x| x, 2, 2, end_timeout = HOUR);
                        }
                        drop(pipe);
                        assert_eq!((a.workers(), b.workers()), (0, 0));
                    }
                }

                #[test]
                fn a_stack_that_ends_below_while_it_flows_above() {
                    let _watchdog = watchdog(LIMIT);
                    for n in [1, 7, 40] {
                        let some = pipeline! { range(u64::MAX) |> $word::map(|x| x, 2, 4) |> thread::queue(2, 4) |> $word::map(|x| x, 2, 4)
                            |> take(n) |> count() };
                        assert_eq!(some, n);
                    }
                }

                #[test]
                fn stopped_while_it_waits_for_its_source() {
                    let _watchdog = watchdog(LIMIT);
                    let (sender, receiver) = std::sync::mpsc::channel::<u64>();
                    let mut pipe = pipeline! { receiver |> $word::map(|x| x + 1, workers = 2) };
                    sender.send(1).unwrap();
                    assert_eq!(pipe.next(), Some(2));
                    // the source itself can't be woken: it goes first
                    drop(sender);
                    pipe.stop();
                    assert_eq!(pipe.next(), None);
                }

                #[test]
                fn a_result_that_the_source_waits_for() {
                    let _watchdog = watchdog(LIMIT);
                    let (sender, receiver) = std::sync::mpsc::channel::<u64>();
                    let mut pipe = pipeline! { receiver |> $word::map(|x| x + 1, workers = 3, maxsize = 100) };
                    sender.send(0).unwrap();
                    for n in 1..200 {
                        assert_eq!(pipe.next(), Some(n));
                        sender.send(n).unwrap();
                    }
                    drop(sender);
                    assert_eq!((pipe.next(), pipe.next()), (Some(200), None));
                }
            }

            mod failures {
                use super::*;

                const STAGE: &str = stringify!($word);

                #[test]
                fn a_panic_names_message_stage_line_and_item() {
                    let _watchdog = watchdog(LIMIT);
                    let (_, map) = until_error(pipeline! { range(50) |> $word::map(boom_at_7, 2) });
                    let (_, each) = until_error(pipeline! { range(50) |> $word::each(|x| { boom_at_7(*x); }, 2) });
                    let (_, init) = until_error(pipeline! { range(50) |> $word::map_init(|| (), |(), x| boom_at_7(x), 2) });
                    for (error, name) in [(map, "map"), (each, "each"), (init, "map_init")] {
                        assert_eq!(facts(&error), ("panicked: boom at 7", Some(7), Some(line!()), true), "{error}");
                        assert_eq!(error.stage(), Some(&*format!("{STAGE}::{name}")));
                        assert_eq!(error.location().unwrap().file(), file!());
                    }
                }

                #[test]
                fn items_are_numbered_as_taken_from_above() {
                    let _watchdog = watchdog(LIMIT);
                    let item = |error: Error| error.item();
                    let (_, error) = until_error(pipeline! { range(50) |> filter(|x| x % 7 == 0) |> $word::map(boom_at_7, 1) });
                    assert_eq!(item(error), Some(7));
                    let (_, error) = until_error(pipeline! { range(50) |> skip(5) |> $word::map(boom_at_7, 1) });
                    assert_eq!(item(error), Some(2));
                    let (_, error) = until_error(pipeline! { range(50) |> marker::insert_periodic(2) |> $word::map(boom_at_7, 1) });
                    assert_eq!(item(error), Some(7));
                    let (_, error) = until_error(pipeline! {
                        range(50) |> o @ order::save(4) |> filter(|x| x % 7 == 0) |> $word::map(boom_at_7, 2) |> order::load(o)
                    });
                    assert_eq!(item(error), Some(7));
                    let (_, error) = until_error(pipeline! { range(2, 50) |> $word::map(|x| x, 1, 1) |> $word::map(boom_at_7, 1) });
                    assert_eq!(item(error), Some(5));
                }

                #[test]
                fn in_an_order_all_before_it_come_first() {
                    let _watchdog = watchdog(LIMIT);
                    let (items, error) = until_error(pipeline! {
                        range(50) |> o @ order::save(1) |> $word::map(boom_at_7, 2) |> order::load(o)
                    });
                    assert_eq!((items, error.item()), ((0..7).collect(), Some(7)));
                }

                #[test]
                fn a_panic_above_or_below_is_that_stages() {
                    let _watchdog = watchdog(LIMIT);
                    let (_, above) = until_error(pipeline! { range(50) |> map(boom_at_7) |> $word::map(|x| x, 2) });
                    assert_eq!((above.message(), above.stage(), above.item()), ("panicked: boom at 7", Some("map"), Some(7)));
                    let (_, below) = until_error(pipeline! {
                        range(50) |> o @ order::save(8) |> $word::map(|x| x, 2) |> order::load(o) |> map(boom_at_7)
                    });
                    assert_eq!((below.message(), below.stage(), below.item()), ("panicked: boom at 7", Some("map"), Some(7)));
                    let (_, tried) = until_error(pipeline! { ["1", "x"] |> try_map(|s| s.parse::<i32>()) |> $word::map(|x| x, 2) });
                    assert_eq!((tried.stage(), tried.item(), tried.is_panic()), (Some("try_map"), Some(1), false));
                    let (_, upper) = until_error(pipeline! { range(50) |> $word::map(boom_at_7, 1) |> $word::each(|_| (), 2) });
                    assert_eq!((upper.stage(), upper.item()), (Some(&*format!("{STAGE}::map")), Some(7)));
                }

                #[test]
                fn a_panic_of_init_or_in_the_source() {
                    let _watchdog = watchdog(LIMIT);
                    fn no_state() {
                        panic!("no state")
                    }
                    let (_, init) = until_error(pipeline! { range(9) |> $word::map_init(no_state, |(), x| x, 2) });
                    assert_eq!((init.message(), init.stage()), ("panicked: no state", Some(&*format!("{STAGE}::map_init"))));
                    let source = (0..9).map(|x| boom_at_7(x));
                    let (_, source) = until_error(pipeline! { source |> $word::map(|x| x, 2) });
                    assert_eq!((source.message(), source.is_panic()), ("panicked: boom at 7", true));
                }

                #[test]
                fn a_panic_without_text_and_one_of_rusts_own() {
                    let _watchdog = watchdog(LIMIT);
                    let (_, mute) = until_error(pipeline! { range(9) |> $word::map(|_| -> u8 { std::panic::panic_any(3) }, 2) });
                    assert!(mute.is_panic(), "{mute}");
                    let (_, index) = until_error(pipeline! { [3] |> $word::map(|i| [0, 1, 2][i], 2) });
                    assert_eq!(index.message(), "panicked: index out of bounds: the len is 3 but the index is 3");
                }

                #[test]
                fn next_panics_with_the_text_of_the_error() {
                    let _watchdog = watchdog(LIMIT);
                    let mut pipe = pipeline! { range(7, 9) |> $word::map(boom_at_7, 1) };
                    let thrown = catch_unwind(AssertUnwindSafe(|| while pipe.next().is_some() {})).unwrap_err();
                    let text = pipe.try_next().unwrap_err().to_string();
                    assert_eq!(thrown.downcast_ref::<String>(), Some(&text));
                    assert!(text.starts_with(&format!("panicked: boom at 7 (in `{STAGE}::map` at ")), "{text}");
                }

                #[test]
                fn the_next_pipeline_is_as_good_as_ever() {
                    let _watchdog = watchdog(LIMIT);
                    for _ in 0..5 {
                        let (_, error) = until_error(pipeline! { range(20) |> $word::map(boom_at_7, 2, 4) });
                        assert_eq!(error.item(), Some(7));
                        assert_eq!(pipeline! { range(7) |> $word::map(boom_at_7, 2, 4) |> count() }, 7);
                    }
                }

                #[test]
                fn printed_or_the_end_of_the_program() {
                    let _watchdog = watchdog(LIMIT);
                    const TEST: &str = concat!(stringify!($word), "::failures::printed_or_the_end_of_the_program");
                    if is_child(TEST) {
                        let pipe = pipeline! { range(50) |> $word::map(boom_at_7, 2, on_worker_error = forward_and_print) };
                        let (_, error) = until_error(pipe);
                        println!("forwarded: {}", error.message());
                        pipeline! { range(50) |> $word::map(boom_at_7, 2, on_worker_error = exit) |> for_each(drop) };
                        unreachable!("the program goes on");
                    }
                    let output = child(TEST).output().unwrap();
                    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
                    assert_eq!(output.status.code(), Some(1), "{out}{err}");
                    assert!(out.contains("forwarded: panicked: boom at 7"), "{out}{err}");
                    let printed = format!("tinypl: panicked: boom at 7 (in `{STAGE}::map` at ");
                    assert_eq!(err.matches(&printed).count(), 2, "{out}{err}");
                }
            }

            mod options {
                use super::*;

                #[test]
                fn in_their_order_or_by_name() {
                    let _watchdog = watchdog(LIMIT);
                    let (n, limit) = (2, Duration::from_secs(LIMIT));
                    pipeline! {
                        let all = range(9) |> a @ $word::map(|x| x, n, n + 1)
                            |> b @ $word::map(maxsize = 4, f = |x| x, workers = 1, warn_timeout = limit, end_timeout = limit,
                                on_worker_error = forward,);
                    }
                    assert_eq!((a.maxsize(), b.maxsize()), (3, 4));
                    assert_eq!(all.count(), 9);
                }
            }
        }
    )*};
}
suite! { thread process }
