//! A chain that ends in a sink runs, and gives the result.
use std::collections::{BTreeSet, HashMap};
use tinypl::{Error, pipeline};

#[test]
fn collect_with_a_turbofish() {
    assert_eq!(pipeline! { [3, 1, 3] |> collect::<BTreeSet<_>>() }, BTreeSet::from([1, 3]));
    assert_eq!(pipeline! { ["a", "b"] |> collect::<String>() }, "ab");
}

#[test]
fn collect_without_one_is_inferred() {
    let lengths: HashMap<&str, usize> = pipeline! { ["a", "bc"] |> map(|s| (s, s.len())) |> collect() };
    assert_eq!(lengths["bc"], 2);
    let all: Option<Vec<i32>> = pipeline! { ["1", "x"] |> map(|s| s.parse().ok()) |> collect() };
    assert_eq!(all, None);
    let all: Result<Vec<i32>, _> = pipeline! { ["1", "x"] |> map(|s| s.parse::<i32>()) |> collect() };
    assert!(all.is_err());
}

#[test]
fn for_each_runs_the_function_for_each_item() {
    let mut seen = vec![];
    pipeline! { range(3) |> marker::insert_periodic(1) |> for_each(|x| seen.push(x)) };
    assert_eq!(seen, [0, 1, 2]);
}

#[test]
fn fold_starts_with_its_first_argument() {
    assert_eq!(pipeline! { range(5) |> fold(100, |a, b| a + b) }, 110);
    assert_eq!(pipeline! { range(3) |> fold(String::new(), |a, b| format!("{a}{b}")) }, "012");
    assert_eq!(pipeline! { range(4) |> fold(init = 1, f = |a, b| a.max(b)) }, 3);
}

#[test]
fn count_counts_the_items_and_no_markers() {
    assert_eq!(pipeline! { range(5) |> marker::insert_periodic(1) |> count() }, 5);
    assert_eq!(pipeline! { range(0) |> count() }, 0);
}

#[test]
fn try_collect_gives_the_items_or_the_error() {
    let numbers =
        |text: &'static str| pipeline! { text.split(' ') |> try_map(|s| s.parse::<i32>()) |> try_collect::<Vec<_>>() };
    assert_eq!(numbers("1 2").unwrap(), [1, 2]);
    assert_eq!(numbers("1 x").unwrap_err().item(), Some(1));
    let inferred: Result<BTreeSet<i32>, Error> = pipeline! { [2, 1] |> try_collect() };
    assert_eq!(inferred.unwrap(), BTreeSet::from([1, 2]));
}

#[test]
fn try_for_each_gives_the_first_err_of_its_function_or_of_the_pipeline() {
    let mut seen = vec![];
    let result: Result<(), Box<dyn std::error::Error>> = pipeline! {
        range(9) |> try_for_each(|x| { seen.push(x); if x < 2 { Ok(()) } else { Err("enough".into()) } })
    };
    assert_eq!((result.unwrap_err().to_string(), seen), ("enough".to_owned(), vec![0, 1, 2]));
    let result: Result<(), Error> =
        pipeline! { ["1", "x"] |> try_map(|s| s.parse::<i32>()) |> try_for_each(|_| Ok(())) };
    assert_eq!(result.unwrap_err().stage(), Some("try_map"));
    let result: Result<(), Error> = pipeline! { range(3) |> try_for_each(|_| Ok(())) };
    assert!(result.is_ok());
}

#[test]
fn a_sink_closes_tracks() {
    let n = pipeline! {
        let odd = range(10) |> filter(|x| x % 2 == 1);
        odd |> count()
    };
    assert_eq!(n, 5);
}

#[test]
fn a_track_may_end_in_a_sink_and_is_its_result() {
    pipeline! {
        let total = range(4) |> count();
        let mut more = range(3) |> map(move |x| x + total as i32);
    }
    assert_eq!((total, more.next()), (4, Some(4)));
}
