//! `enumerate()`.
use tinypl::pipeline;
use tinypl_tests::signals;

#[test]
fn it_pairs_each_item_with_its_number() {
    let all: Vec<(usize, &str)> = pipeline! { ["a", "b"] |> enumerate() |> collect() };
    assert_eq!(all, [(0, "a"), (1, "b")]);
}

#[test]
fn it_numbers_what_arrives() {
    let all: Vec<_> = pipeline! { range(9) |> filter(|x| x % 4 == 0) |> enumerate() |> collect() };
    assert_eq!(all, [(0, 0), (1, 4), (2, 8)]);
}

#[test]
fn it_does_not_number_markers() {
    assert_eq!(
        signals(pipeline! { range(3) |> marker::insert_periodic(1) |> enumerate() }),
        "(0, 0) * (1, 1) * (2, 2) *"
    );
}

#[test]
fn it_numbers_inside_an_order() {
    let all: Vec<_> = pipeline! {
        range(100) |> o @ order::save(8) |> filter(|x| x % 2 == 1) |> enumerate() |> thread::map(|pair| pair, 4)
            |> order::load(o) |> collect()
    };
    assert_eq!(all, (0..50).map(|n| (n, 2 * n as i32 + 1)).collect::<Vec<_>>());
}

#[test]
fn it_goes_on_where_it_was() {
    let mut all = pipeline! { "abc".chars() |> enumerate() };
    assert_eq!(pipeline! { &mut all |> take(2) |> count() }, 2);
    assert_eq!(all.next(), Some((2, 'c')));
}

#[test]
fn the_size_hint_is_the_upstreams() {
    assert_eq!(pipeline! { range(9) |> enumerate() }.size_hint(), (9, Some(9)));
}
