//! Positional and named arguments, words and values.
use std::time::Duration;
use tinypl::{Error, OnWorkerError, pipeline};
use tinypl_tests::{child, is_child, signals, watchdog};

#[test]
fn arguments_by_position_are_arguments_by_name() {
    pipeline! { let by_position = range(9) |> a @ thread::queue(4, 8); }
    pipeline! { let by_name = range(9) |> b @ thread::queue(workers = 4, maxsize = 8); }
    pipeline! { let reversed = range(9) |> c @ thread::queue(maxsize = 8, workers = 4); }
    pipeline! { let mixed = range(9) |> d @ thread::queue(4, maxsize = 8); }
    assert_eq!([&a, &b, &c, &d].map(|q| q.maxsize()), [8; 4]);
    assert_eq!([by_position.count(), by_name.count(), reversed.count(), mixed.count()], [9; 4]);
}

#[test]
fn every_needed_argument_may_be_named() {
    let all: Vec<_> = pipeline! {
        range(a = 0, b = 20, step = 1) |> map(f = |x| x + 1) |> filter(pred = |x| x % 2 == 0) |> skip(n = 1)
            |> take(n = 4)
            |> zip(other = "abcd".chars()) |> partition(n = 3) |> collect()
    };
    assert_eq!(all, [vec![(4, 'a'), (6, 'b'), (8, 'c')], vec![(10, 'd')]]);
}

/// Those of the stages that keep a rate, an order or a place, and of the sinks.
#[test]
fn every_needed_argument_may_be_named_elsewhere_too() {
    let _watchdog = watchdog(300);
    let (mut sum, mut marks) = (0, 0);
    pipeline! {
        range(n = 6) |> ratelimit(num = 1_000_000, period = Duration::ZERO) |> m @ marker::insert_periodic(n = 2)
            |> o @ order::save(maxsize = 4) |> thread::map_init(init = || 10, f = |ten, x| *ten + x, workers = 2)
            |> order::load(o = o) |> marker::on(f = || marks += 1, m = m) |> for_each(f = |x| sum = 10 * sum + x - 10)
    }
    assert_eq!((sum, marks), (12_345, 3));
    let from_end = pipeline! { range(n = 4) |> fold(init = 0, f = |sum, x| sum + x) };
    let tried: Result<(), Error> = pipeline! { range(n = 4) |> try_for_each(f = |x| { assert!(x < 4); Ok(()) }) };
    assert_eq!((from_end, tried.is_ok()), (6, true));
    pipeline! { let pipe = range(n = 9) |> m @ marker::insert_periodic(n = 2, after = false) |> p @ progress(label = "all", len = 9)
    |> marker::until(m = m); }
    assert_eq!((p.length(), pipe.count()), (Some(9), 1));
}

#[test]
fn every_needed_argument_of_processes_may_be_named() {
    let _watchdog = watchdog(300);
    let all: Vec<i32> = pipeline! {
        range(n = 3) |> o @ order::save(maxsize = 4) |> process::map_with(ctx = 10, f = |ten, x| ten * x, workers = 1)
            |> process::map_init(init = || 1, f = |one, x| *one + x, workers = 1) |> process::map(f = |x| x + 1, workers = 1)
            |> process::each(f = |x| assert!(*x > 0), workers = 1) |> order::load(o = o) |> collect()
    };
    assert_eq!(all, [2, 12, 22]);
}

#[test]
fn what_is_printed_may_be_named() {
    let name = "arguments::what_is_printed_may_be_named";
    if is_child(name) {
        return pipeline! { range(n = 2) |> debug::print_on_item(msg = |x| format!("item {x}")) |> for_each(f = drop) };
    }
    let output = child(name).output().expect("the test runs itself");
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(printed.matches("PIPE: returning item ").count(), 2, "{printed}");
}

#[test]
fn a_trailing_comma_is_fine() {
    let all: Vec<i32> =
        pipeline! { range(1, 9,) |> map(|x| x,) |> take(n = 2,) |> enumerate() |> map(|(_, x)| x) |> collect() };
    assert_eq!(all, [1, 2]);
}

#[test]
fn a_stage_without_arguments_needs_no_parentheses() {
    let all: Vec<(usize, i32)> = pipeline! { [[1], [2]] |> flatten |> enumerate |> collect() };
    assert_eq!(all, [(0, 1), (1, 2)]);
}

#[test]
fn a_queue_that_is_told_no_maxsize_chooses_at_least_twice_its_workers() {
    pipeline! { let few = range(3) |> q @ thread::queue(workers = 1); let many = range(3)
    |> r @ thread::queue(workers = 50); }
    assert!(q.maxsize() >= 2);
    assert!(r.maxsize() >= 100);
    assert_eq!((few.count(), many.count()), (3, 3));
}

#[test]
fn insert_periodics_defaults_are_1_and_after() {
    assert_eq!(signals(pipeline! { range(2) |> marker::insert_periodic() }), "0 * 1 *");
    assert_eq!(signals(pipeline! { range(2) |> marker::insert_periodic }), "0 * 1 *");
    assert_eq!(signals(pipeline! { range(2) |> marker::insert_periodic(after = false) }), "* 0 * 1");
}

#[test]
fn a_word_is_vocabulary_in_its_place_even_beside_a_variable_of_that_name() {
    let before = "a variable that is not meant";
    let groups = pipeline! { range(3) |> marker::insert_periodic(2) |> partition(3, markers = before) };
    assert_eq!(signals(groups), "* [0, 1, 2]");
    assert_eq!(before.len(), 28);
}

#[test]
fn parentheses_make_a_word_a_rust_value() {
    let before = tinypl::marker::After; // of all names
    let groups = pipeline! { range(3) |> marker::insert_periodic(2) |> partition(3, markers = (before)) };
    assert_eq!(signals(groups), "[0, 1, 2] *");
    let forward = OnWorkerError::ForwardAndPrint;
    assert_eq!(pipeline! { range(3) |> thread::queue(2, on_worker_error = (forward)) |> count() }, 3);
}

#[test]
fn each_word_of_on_worker_error_is_known() {
    assert_eq!(pipeline! { range(3) |> thread::queue(2, on_worker_error = forward) |> count() }, 3);
    assert_eq!(pipeline! { range(3) |> thread::queue(2, on_worker_error = exit) |> count() }, 3);
    assert_eq!(pipeline! { range(3) |> thread::queue(2, on_worker_error = forward_and_print) |> count() }, 3);
}

#[test]
fn options_are_any_expressions() {
    let n = 2;
    let limit = Duration::from_secs(60);
    let all = pipeline! {
        range(10)
            |> thread::map(|x| x, workers = n + 1, maxsize = 4 * n, warn_timeout = limit, end_timeout = 2 * limit)
            |> partition(n, split_on_marker = n > 1)
            |> count()
    };
    assert_eq!(all, 5);
}

#[test]
fn arguments_are_evaluated_once_and_in_their_order() {
    let mut order = vec![];
    let mut note = |name, value| {
        order.push(name);
        value
    };
    let n = pipeline! { range(note("from", 1), note("to", 9)) |> skip(note("skip", 1)) |> take(note("take", 3))
    |> count() };
    assert_eq!((n, order), (3, vec!["from", "to", "skip", "take"]));
}

#[test]
fn arguments_are_evaluated_once_even_if_stages_run_often() {
    let mut calls = 0;
    let mut by = || {
        calls += 1;
        10
    };
    let all: Vec<_> = pipeline! { range(4) |> partition(by()) |> collect() };
    assert_eq!((all.len(), calls), (1, 1));
}
