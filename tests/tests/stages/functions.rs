//! `map`, `each`, `filter`, `filter_map`, `try_map`: a function for each item.
use tinypl::{Pipeline, pipeline, range};
use tinypl_tests::signals;

#[test]
fn map_applies_its_function() {
    assert_eq!(pipeline! { range(3) |> map(|x| 10 * x) |> collect::<Vec<_>>() }, [0, 10, 20]);
}

#[test]
fn map_changes_the_type_of_the_items() {
    assert_eq!(pipeline! { range(3) |> map(|x| x.to_string()) |> collect::<String>() }, "012");
}

#[test]
fn map_may_change_what_it_captured() {
    let mut sum = 0;
    let sums: Vec<i32> = pipeline! { range(5) |> map(|x| { sum += x; sum }) |> collect() };
    assert_eq!((sums, sum), (vec![0, 1, 3, 6, 10], 10));
}

#[test]
fn map_owns_the_item() {
    let moved: Vec<Box<i32>> = pipeline! { [Box::new(1)] |> map(|b| { drop(b); Box::new(2) }) |> collect() };
    assert_eq!(*moved[0], 2);
}

#[test]
fn each_sees_each_item_and_passes_it_on() {
    let mut seen = vec![];
    let passed: Vec<i32> = pipeline! { range(3) |> each(|x| seen.push(*x)) |> map(|x| -x) |> collect() };
    assert_eq!((seen, passed), (vec![0, 1, 2], vec![0, -1, -2]));
}

#[test]
fn filter_keeps_what_its_predicate_holds_for() {
    assert_eq!(pipeline! { range(6) |> filter(|x| x % 3 == 0) |> collect::<Vec<_>>() }, [0, 3]);
    assert_eq!(pipeline! { range(6) |> filter(|_| false) |> count() }, 0);
    assert_eq!(pipeline! { range(6) |> filter(|_| true) |> count() }, 6);
}

#[test]
fn filter_may_change_what_it_captured() {
    let mut seen = std::collections::HashSet::new();
    let unique: Vec<i32> = pipeline! { [1, 2, 1, 3, 2] |> filter(|x| seen.insert(*x)) |> collect() };
    assert_eq!(unique, [1, 2, 3]);
}

#[test]
fn filter_map_keeps_what_is_some() {
    let numbers: Vec<i32> = pipeline! { ["1", "x", "3"] |> filter_map(|s| s.parse().ok()) |> collect() };
    assert_eq!(numbers, [1, 3]);
}

#[test]
fn filter_map_may_change_what_it_captured() {
    let mut last = None;
    let steps: Vec<i32> = pipeline! { [1, 4, 9] |> filter_map(|x: i32| last.replace(x).map(|y| x - y)) |> collect() };
    assert_eq!(steps, [3, 5]);
}

#[test]
fn try_map_passes_on_what_is_ok() {
    let numbers = pipeline! { ["1", "2"] |> try_map(|s| s.parse::<i32>()) |> try_collect::<Vec<_>>() };
    assert_eq!(numbers.unwrap(), [1, 2]);
}

#[test]
fn try_map_ends_at_the_first_err() {
    let mut asked = 0;
    let mut numbers = pipeline! { ["1", "x", "3"] |> try_map(|s| { asked += 1; s.parse::<i32>() }) };
    assert_eq!(numbers.try_next().unwrap(), Some(1));
    assert!(numbers.try_next().is_err());
    assert!(numbers.try_next().is_err());
    drop(numbers);
    assert_eq!(asked, 2);
}

#[test]
fn try_map_takes_every_kind_of_error() {
    let text = |x: i32| if x < 1 { Ok(x) } else { Err("text") };
    assert_eq!(pipeline! { range(3) |> try_map(text) |> try_collect::<Vec<_>>() }.unwrap_err().message(), "text");
    let string = |x: i32| if x < 1 { Ok(x) } else { Err(format!("{x}")) };
    assert_eq!(pipeline! { range(3) |> try_map(string) |> try_collect::<Vec<_>>() }.unwrap_err().message(), "1");
    let boxed = |x: i32| -> Result<i32, Box<dyn std::error::Error + Send + Sync>> { Err(x.to_string().into()) };
    assert_eq!(pipeline! { range(3) |> try_map(boxed) |> try_collect::<Vec<_>>() }.unwrap_err().message(), "0");
    let typed = |x: i32| u8::try_from(x - 1);
    assert!(pipeline! { range(3) |> try_map(typed) |> try_collect::<Vec<_>>() }.is_err());
}

#[test]
fn markers_pass_in_their_places() {
    let marked = || pipeline! { range(4) |> marker::insert_periodic(2) };
    assert_eq!(signals(pipeline! { marked() |> map(|x| 10 * x) }), "0 10 * 20 30 *");
    assert_eq!(signals(pipeline! { marked() |> each(|_| ()) }), "0 1 * 2 3 *");
    assert_eq!(signals(pipeline! { marked() |> filter(|x| *x > 1) }), "* 2 3 *");
    assert_eq!(signals(pipeline! { marked() |> filter_map(|x| (x < 1).then_some(x)) }), "0 * *");
    assert_eq!(signals(pipeline! { marked() |> try_map(|x| Ok::<_, String>(x + 1)) }), "1 2 * 3 4 *");
}

#[test]
fn a_fold_sees_what_single_pulls_see() {
    let chain = || {
        pipeline! {
            range(20) |> marker::insert_periodic(3) |> map(|x| x + 1) |> filter(|x| x % 3 != 0)
                |> filter_map(|x| (x != 7).then_some(x)) |> each(|_| ())
                |> try_map(|x| Ok::<_, String>(2 * x))
        }
    };
    let mut single = chain();
    let pulled: Vec<i32> = std::iter::from_fn(|| single.next()).collect();
    let folded = chain().fold(vec![], |mut all, x| {
        all.push(x);
        all
    });
    assert_eq!(pulled, folded);
    assert_eq!(pulled.len(), 13);
}

#[test]
fn the_size_hint_is_that_of_the_iterator_chain() {
    assert_eq!(pipeline! { range(9) |> map(|x| x) |> each(|_| ()) }.size_hint(), (9, Some(9)));
    assert_eq!(pipeline! { range(9) |> filter(|_| true) }.size_hint(), (0, Some(9)));
    assert_eq!(pipeline! { range(9) |> filter_map(Some) }.size_hint(), (0, Some(9)));
    assert_eq!(pipeline! { range(9) |> try_map(Ok::<_, String>) }.size_hint(), (9, Some(9)));
}

#[test]
fn by_hand_the_twins_take_functions_that_change_what_they_captured() {
    let mut calls = [0; 5];
    let [a, b, c, d, e] = &mut calls;
    let pipe = tinypl::map_mut(range(0, 3), |x| {
        *a += 1;
        x
    });
    let pipe = tinypl::each_mut(pipe, |_| *b += 1);
    let pipe = tinypl::filter_mut(pipe, |_| {
        *c += 1;
        true
    });
    let pipe = tinypl::filter_map_mut(pipe, |x| {
        *d += 1;
        Some(x)
    });
    let pipe = tinypl::try_map_mut(pipe, |x| {
        *e += 1;
        Ok::<_, String>(x)
    });
    assert_eq!(Pipeline::new(pipe).count(), 3);
    assert_eq!(calls, [3; 5]);
}
