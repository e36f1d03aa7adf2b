//! What may stand at the head of a chain.
use std::sync::mpsc::channel;
use tinypl::{Pipeline, map, pipeline, range};
use tinypl_tests::signals;

#[test]
fn anything_that_is_into_iterator() {
    let (sender, receiver) = channel();
    (0..3).for_each(|x| sender.send(x).unwrap());
    drop(sender);
    let sum = |a, b| a + b;
    assert_eq!(pipeline! { 0..3 |> fold(0, sum) }, 3);
    assert_eq!(pipeline! { vec![0, 1, 2] |> fold(0, sum) }, 3);
    assert_eq!(pipeline! { receiver |> fold(0, sum) }, 3);
    assert_eq!(pipeline! { "a\nb\n".lines() |> count() }, 2);
    assert_eq!(pipeline! { Some(3) |> fold(0, sum) }, 3);
    assert_eq!(pipeline! { std::iter::repeat_n(1, 3) |> fold(0, sum) }, 3);
}

#[test]
fn a_slice_gives_references() {
    let words = [String::from("a"), String::from("b")];
    let slice = &words[..];
    let all: Vec<&String> = pipeline! { slice |> filter(|w| *w != "a") |> collect() };
    assert_eq!(all, [&words[1]]);
    let all: Vec<&str> = pipeline! { &words |> map(|w| w.as_str()) |> collect() };
    assert_eq!(all, ["a", "b"]);
    assert_eq!(pipeline! { words.iter() |> count() }, 2);
}

#[test]
fn items_may_be_mutable_references() {
    let mut numbers = vec![1, 2, 3];
    pipeline! { &mut numbers |> for_each(|x| *x += 1) }
    pipeline! { numbers.iter_mut() |> each(|x| assert!(**x > 1)) |> for_each(|x| *x *= 10) }
    assert_eq!(numbers, [20, 30, 40]);
}

#[test]
fn a_temporary_in_the_source_lives_as_long_as_the_block_runs() {
    let text = || String::from("a b c");
    let words: Vec<String> = pipeline! { text().split(' ') |> map(|w| w.to_uppercase()) |> collect() };
    assert_eq!(words, ["A", "B", "C"]);
    let locked = std::sync::Mutex::new(vec![1, 2]);
    let sum = pipeline! { locked.lock().unwrap().iter() |> fold(0, |a, b| a + b) };
    assert_eq!(sum, 3);
}

#[test]
fn a_pipeline_in_a_variable() {
    let first = pipeline! { range(5) |> map(|x| x + 1) };
    let second: Vec<i32> = pipeline! { first |> filter(|x| x % 2 == 1) |> collect() };
    assert_eq!(second, [1, 3, 5]);
}

#[test]
fn a_pipelines_markers_come_along() {
    let first = pipeline! { range(4) |> marker::insert_periodic(2) };
    let second = pipeline! { first |> map(|x| x + 1) };
    assert_eq!(signals(second), "1 2 * 3 4 *");
}

#[test]
fn a_pipelines_order_tickets_come_along() {
    pipeline! { let first = range(20) |> o @ order::save(4) |> map(|x| x + 1); }
    let all: Vec<i32> = pipeline! { first |> thread::map(|x| 2 * x, workers = 2) |> order::load(o) |> collect() };
    assert_eq!(all, (1..21).map(|x| 2 * x).collect::<Vec<_>>());
}

#[test]
fn a_pipeline_by_mutable_reference_goes_on_afterwards() {
    let mut pipe = pipeline! { range(6) |> map(|x| 10 * x) };
    assert_eq!(pipeline! { &mut pipe |> take(2) |> collect::<Vec<_>>() }, [0, 10]);
    assert_eq!(pipe.next(), Some(20));
    let reference = &mut pipe;
    assert_eq!(pipeline! { reference |> take(1) |> collect::<Vec<_>>() }, [30]);
    assert_eq!(pipe.collect::<Vec<_>>(), [40, 50]);
}

#[test]
fn by_ref_borrows_a_pipeline_as_a_source() {
    let mut pipe = pipeline! { range(6) |> marker::insert_periodic(2) };
    assert_eq!(pipeline! { pipe.by_ref() |> marker::until() |> collect::<Vec<_>>() }, [0, 1]);
    assert_eq!(pipe.by_ref().take(1).collect::<Vec<_>>(), [2]);
    assert_eq!(pipe.collect::<Vec<_>>(), [3, 4, 5]);
}

#[test]
fn stages_made_by_hand_are_sources() {
    let all: Vec<i32> = pipeline! { map(range(0, 3), |x| x + 1) |> map(|x| 2 * x) |> collect() };
    assert_eq!(all, [2, 4, 6]);
    let all: Vec<i32> = pipeline! { Pipeline::new(range(0, 3)) |> collect() };
    assert_eq!(all, [0, 1, 2]);
}

#[test]
fn a_field_a_call_and_a_block_are_sources() {
    struct Config {
        paths: Vec<&'static str>,
    }
    let config = Config { paths: vec!["a", "b"] };
    assert_eq!(pipeline! { config.paths.clone() |> count() }, 2);
    assert_eq!(pipeline! { { let n = config.paths.len(); 0..n } |> count() }, 2);
    assert_eq!(pipeline! { if config.paths.is_empty() { vec![] } else { config.paths } |> count() }, 2);
}

#[test]
fn a_variable_called_range_is_that_variable() {
    let range = vec![7, 8];
    assert_eq!(pipeline! { range |> collect::<Vec<_>>() }, [7, 8]);
}

#[test]
fn a_range_of_expressions_is_inferred_from_its_use() {
    let (from, n): (u64, _) = (2, 3);
    let all: Vec<u64> = pipeline! { range(from, from + n) |> collect() };
    assert_eq!(all, [2, 3, 4]);
    let lengths: Vec<usize> = pipeline! { range("abc".len()) |> collect() };
    assert_eq!(lengths, [0, 1, 2]);
}
