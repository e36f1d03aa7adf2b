//! `zip(other)`.
use tinypl::pipeline;
use tinypl_tests::signals;

#[test]
fn it_pairs_items_until_either_ends() {
    assert_eq!(pipeline! { range(9) |> zip(["a", "b"]) |> collect::<Vec<_>>() }, [(0, "a"), (1, "b")]);
    assert_eq!(pipeline! { range(1) |> zip(["a", "b"]) |> collect::<Vec<_>>() }, [(0, "a")]);
    assert_eq!(pipeline! { range(0) |> zip(["a", "b"]) |> count() }, 0);
}

#[test]
fn after_its_end_it_stays_ended() {
    let mut upstream = pipeline! { range(9) };
    let mut pairs = pipeline! { &mut upstream |> zip([7]) };
    assert_eq!(pairs.next(), Some((0, 7)));
    assert_eq!((pairs.next(), pairs.next()), (None, None));
    drop(pairs);
    assert_eq!(upstream.next(), Some(2)); // as in `Iterator::zip`: 1 found no partner
}

#[test]
fn the_upstreams_markers_pass_and_the_others_do_not() {
    let zipped = pipeline! { range(4) |> marker::insert_periodic(2) |> zip(pipeline! { range(9)
    |> marker::insert_periodic(1) }) };
    assert_eq!(signals(zipped), "(0, 0) (1, 1) * (2, 2) (3, 3) *");
}

#[test]
fn the_other_is_any_iterable_or_pipeline() {
    let mut other = pipeline! { range(10, 20) };
    assert_eq!(pipeline! { range(2) |> zip(other.by_ref()) |> collect::<Vec<_>>() }, [(0, 10), (1, 11)]);
    assert_eq!(pipeline! { range(2) |> zip(&mut other) |> collect::<Vec<_>>() }, [(0, 12), (1, 13)]);
    assert_eq!(pipeline! { range(2) |> zip(other) |> zip(1..) |> collect::<Vec<_>>() }, [((0, 14), 1), ((1, 15), 2)]);
}

#[test]
fn the_others_threads_prefetch_too() {
    let pairs = pipeline! { range(5) |> zip(pipeline! { range(100) |> o @ order::save(4) |> thread::queue(2)
    |> order::load(o) }) };
    assert_eq!(pairs.map(|(a, b)| a - b).collect::<Vec<_>>(), [0; 5]);
}

#[test]
fn it_stands_inside_an_order() {
    let all: Vec<_> = pipeline! {
        range(50) |> o @ order::save(4) |> filter(|x| x % 2 == 0) |> zip(0..) |> thread::map(|pair| pair, 3)
            |> order::load(o) |> collect()
    };
    assert_eq!(all, (0..25).map(|x| (2 * x, x)).collect::<Vec<_>>());
}

#[test]
fn the_size_hint_is_the_shorter_ones() {
    assert_eq!(pipeline! { range(9) |> zip([1, 2]) }.size_hint(), (2, Some(2)));
    assert_eq!(pipeline! { 0.. |> zip(0..) }.size_hint(), (usize::MAX, None));
}
