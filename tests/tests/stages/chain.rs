//! `chain(other)`.
use tinypl::pipeline;
use tinypl_tests::signals;

#[test]
fn it_gives_the_items_of_the_other_after_the_upstreams() {
    assert_eq!(pipeline! { range(2) |> chain([7, 8]) |> collect::<Vec<_>>() }, [0, 1, 7, 8]);
    assert_eq!(pipeline! { range(0) |> chain([7]) |> collect::<Vec<_>>() }, [7]);
    assert_eq!(pipeline! { range(2) |> chain([]) |> collect::<Vec<_>>() }, [0, 1]);
}

#[test]
fn the_upstreams_markers_pass_and_the_others_do_not() {
    let chained = pipeline! { range(2) |> marker::insert_periodic(1) |> chain(pipeline! { range(2)
    |> marker::insert_periodic(1) }) };
    assert_eq!(signals(chained), "0 * 1 * 0 1");
}

#[test]
fn the_other_is_any_iterable_or_pipeline() {
    let mut other = pipeline! { range(10, 20) };
    assert_eq!(pipeline! { range(1) |> chain(other.by_ref().take(2)) |> collect::<Vec<_>>() }, [0, 10, 11]);
    assert_eq!(pipeline! { range(1) |> chain(&mut other) |> take(3) |> collect::<Vec<_>>() }, [0, 12, 13]);
    assert_eq!(pipeline! { range(1) |> chain(other) |> chain(Some(1)) |> count() }, 8);
}

#[test]
fn it_stands_above_and_below_queues() {
    let mut all: Vec<i32> =
        pipeline! { range(50) |> thread::queue(2) |> chain(50..100) |> thread::map(|x| x, 2) |> collect() };
    all.sort_unstable();
    assert_eq!(all, (0..100).collect::<Vec<_>>());
}

#[test]
fn it_chains_to_itself() {
    let all: Vec<i32> = pipeline! { range(1) |> chain([1]) |> chain([2]) |> chain([3]) |> collect() };
    assert_eq!(all, [0, 1, 2, 3]);
}

#[test]
fn the_size_hint_is_the_sum() {
    assert_eq!(pipeline! { range(9) |> chain([1, 2]) }.size_hint(), (11, Some(11)));
    assert_eq!(pipeline! { range(9) |> filter(|_| true) |> chain([1, 2]) }.size_hint(), (2, Some(11)));
}
