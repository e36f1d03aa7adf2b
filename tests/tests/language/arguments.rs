//! Positional and named arguments, words and values.
use std::time::Duration;
use tinypl::{OnWorkerError, pipeline};
use tinypl_tests::signals;

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
