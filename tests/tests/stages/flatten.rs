//! `flatten()` and `flatten_eager()`.
use std::cell::RefCell;
use tinypl::pipeline;
use tinypl_tests::signals;

/// An iterator over `0..n` that writes down when it is asked.
fn noted<'a>(notes: &'a RefCell<Vec<String>>, name: &'a str, n: i32) -> impl Iterator<Item = i32> + 'a {
    (0..n).inspect(move |x| notes.borrow_mut().push(format!("{name}{x}")))
}

#[test]
fn they_give_the_items_of_each_item() {
    assert_eq!(pipeline! { [vec![1], vec![], vec![2, 3]] |> flatten() |> collect::<Vec<_>>() }, [1, 2, 3]);
    assert_eq!(pipeline! { [vec![1], vec![], vec![2, 3]] |> flatten_eager() |> collect::<Vec<_>>() }, [1, 2, 3]);
}

#[test]
fn items_may_be_any_iterables() {
    assert_eq!(pipeline! { [Some(1), None] |> flatten() |> collect::<Vec<_>>() }, [1]);
    assert_eq!(pipeline! { range(3) |> map(|n| 0..n) |> flatten() |> collect::<Vec<_>>() }, [0, 0, 1]);
    assert_eq!(pipeline! { ["ab", "c"] |> map(|s| s.chars()) |> flatten_eager() |> collect::<String>() }, "abc");
    let pipes = pipeline! { range(3) |> map(|n| pipeline! { range(n) |> map(|x| 10 * x) }) |> flatten() };
    assert_eq!(pipes.collect::<Vec<_>>(), [0, 0, 10]);
}

#[test]
fn flatten_takes_the_items_of_an_item_one_by_one() {
    let notes = RefCell::new(vec![]);
    let mut pipe = pipeline! { ["a", "b"] |> map(|name| noted(&notes, name, 2)) |> flatten() };
    assert_eq!(pipe.next(), Some(0));
    assert_eq!(*notes.borrow(), ["a0"]);
    assert_eq!((pipe.next(), pipe.next()), (Some(1), Some(0)));
    assert_eq!(*notes.borrow(), ["a0", "a1", "b0"]);
}

#[test]
fn flatten_eager_takes_the_items_of_an_item_all_at_once() {
    let notes = RefCell::new(vec![]);
    let mut pipe = pipeline! { ["a", "b"] |> map(|name| noted(&notes, name, 2)) |> flatten_eager() };
    assert_eq!(pipe.next(), Some(0));
    assert_eq!(*notes.borrow(), ["a0", "a1"]);
    assert_eq!((pipe.next(), pipe.next()), (Some(1), Some(0)));
    assert_eq!(*notes.borrow(), ["a0", "a1", "b0", "b1"]);
}

#[test]
fn flatten_gives_from_an_endless_item() {
    assert_eq!(pipeline! { [5..] |> flatten() |> take(2) |> collect::<Vec<i32>>() }, [5, 6]);
}

#[test]
fn markers_stand_between_the_items_of_their_neighbours() {
    let lists = || pipeline! { [vec![0], vec![], vec![0, 1]] |> marker::insert_periodic(1) };
    assert_eq!(signals(pipeline! { lists() |> flatten() }), "0 * * 0 1 *");
    assert_eq!(signals(pipeline! { lists() |> flatten_eager() }), "0 * * 0 1 *");
}

#[test]
fn empty_streams_and_empty_items_give_nothing() {
    assert_eq!(pipeline! { Vec::<Vec<i32>>::new() |> flatten() |> count() }, 0);
    assert_eq!(pipeline! { vec![Vec::<i32>::new(); 3] |> flatten() |> count() }, 0);
    assert_eq!(pipeline! { vec![Vec::<i32>::new(); 3] |> flatten_eager() |> count() }, 0);
}

#[test]
fn they_flatten_what_partition_grouped() {
    let all: Vec<i32> =
        pipeline! { range(7) |> partition(3) |> flatten() |> partition(2) |> flatten_eager() |> collect() };
    assert_eq!(all, [0, 1, 2, 3, 4, 5, 6]);
}

#[test]
fn several_threads_pull_below_them() {
    let mut all: Vec<i32> =
        pipeline! { range(20) |> map(|n| vec![n; 5]) |> flatten() |> thread::map(|x| x, 4) |> collect() };
    all.sort_unstable();
    assert_eq!(all, (0..20).flat_map(|n| [n; 5]).collect::<Vec<_>>());
    let mut all: Vec<i32> =
        pipeline! { range(20) |> map(|n| vec![n; 5]) |> flatten_eager() |> thread::map(|x| x, 4) |> collect() };
    all.sort_unstable();
    assert_eq!(all, (0..20).flat_map(|n| [n; 5]).collect::<Vec<_>>());
}
