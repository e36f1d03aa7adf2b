//! `partition(n, markers, split_on_marker)`.
use tinypl::pipeline;
use tinypl_tests::signals;

#[test]
fn groups_of_n_the_last_may_be_shorter() {
    assert_eq!(pipeline! { range(5) |> partition(2) |> collect::<Vec<_>>() }, [vec![0, 1], vec![2, 3], vec![4]]);
    assert_eq!(pipeline! { range(4) |> partition(2) |> collect::<Vec<_>>() }, [[0, 1], [2, 3]]);
    assert_eq!(pipeline! { range(2) |> partition(1) |> collect::<Vec<_>>() }, [[0], [1]]);
    assert_eq!(pipeline! { range(2) |> partition(1_000_000_000_000) |> collect::<Vec<_>>() }, [[0, 1]]);
}

#[test]
fn an_empty_stream_has_no_groups() {
    assert_eq!(pipeline! { range(0) |> partition(2) |> count() }, 0);
}

#[test]
fn an_empty_stream_of_filtered_items_passes_its_markers() {
    let none = || pipeline! { range(3) |> marker::insert_periodic(1) |> filter(|_| false) };
    assert_eq!(signals(pipeline! { none() |> partition(2, markers = before) }), "* * *");
    assert_eq!(signals(pipeline! { none() |> partition(2, markers = after) }), "* * *");
    assert_eq!(signals(pipeline! { none() |> partition(2, split_on_marker = true) }), "* * *");
}

/// `0 1 * 2 3 * 4 5 *`
macro_rules! pairs {
    (|> $($stage:tt)*) => {
        signals(pipeline! { range(6) |> marker::insert_periodic(2) |> $($stage)* })
    };
}

#[test]
fn before_puts_a_marker_before_its_group() {
    assert_eq!(pairs!(|> partition(3, markers = before)), "* [0, 1, 2] * [3, 4, 5] *");
    assert_eq!(pairs!(|> partition(4, markers = before)), "* [0, 1, 2, 3] * * [4, 5]");
}

#[test]
fn after_puts_a_marker_after_its_group() {
    assert_eq!(pairs!(|> partition(3, markers = after)), "[0, 1, 2] * [3, 4, 5] * *");
    assert_eq!(pairs!(|> partition(4, markers = after)), "[0, 1, 2, 3] * * [4, 5] *");
}

#[test]
fn between_two_groups_a_marker_stays_where_it_is() {
    assert_eq!(pairs!(|> partition(2, markers = before)), "[0, 1] * [2, 3] * [4, 5] *");
    assert_eq!(pairs!(|> partition(2, markers = after)), "[0, 1] * [2, 3] * [4, 5] *");
}

#[test]
fn a_short_last_groups_markers_stand_where_the_policy_says() {
    let three = || pipeline! { range(3) |> marker::insert_periodic(2) };
    assert_eq!(signals(pipeline! { three() |> partition(5, markers = before) }), "* [0, 1, 2]");
    assert_eq!(signals(pipeline! { three() |> partition(5, markers = after) }), "[0, 1, 2] *");
}

#[test]
fn split_on_marker_ends_the_group_at_a_marker() {
    assert_eq!(pairs!(|> partition(3, markers = before, split_on_marker = true)), "* [0, 1] * [2, 3] * [4, 5]");
    assert_eq!(pairs!(|> partition(3, markers = after, split_on_marker = true)), "[0, 1] * [2, 3] * [4, 5] *");
}

#[test]
fn split_on_marker_alone_puts_it_after() {
    assert_eq!(pairs!(|> partition(3, split_on_marker = true)), "[0, 1] * [2, 3] * [4, 5] *");
}

#[test]
fn split_on_marker_may_be_decided_at_run_time() {
    let (yes, no) = (true, false);
    assert_eq!(pairs!(|> partition(3, split_on_marker = yes)), "[0, 1] * [2, 3] * [4, 5] *");
    assert_eq!(pairs!(|> partition(3, split_on_marker = no)), "[0, 1, 2] * [3, 4, 5] * *");
    assert_eq!(pairs!(|> partition(3, markers = before, split_on_marker = no)), "* [0, 1, 2] * [3, 4, 5] *");
    assert_eq!(pairs!(|> partition(3, split_on_marker = yes, markers = before)), "* [0, 1] * [2, 3] * [4, 5]");
}

#[test]
fn several_markers_in_one_group_keep_their_order() {
    let marked = || pipeline! { range(5) |> marker::insert_periodic(2) |> marker::insert_periodic(1) };
    assert_eq!(signals(marked()), "0 * 1 * ** 2 * 3 * ** 4 *");
    assert_eq!(signals(pipeline! { marked() |> partition(3, markers = before) }), "* * ** [0, 1, 2] * * ** * [3, 4]");
    assert_eq!(signals(pipeline! { marked() |> partition(3, markers = after) }), "[0, 1, 2] * * ** * [3, 4] * ** *");
    assert_eq!(
        signals(pipeline! { marked() |> partition(3, split_on_marker = true) }),
        "[0] * [1] * ** [2] * [3] * ** [4] *"
    );
}

#[test]
fn a_group_that_a_marker_ends_is_followed_by_a_full_one() {
    let marked = || pipeline! { range(7) |> marker::insert_periodic(4) };
    assert_eq!(signals(pipeline! { marked() |> partition(3, split_on_marker = true) }), "[0, 1, 2] [3] * [4, 5, 6]");
}

#[test]
fn a_stream_without_markers_takes_a_policy_too() {
    assert_eq!(signals(pipeline! { range(3) |> partition(2, markers = before) }), "[0, 1] [2]");
    assert_eq!(signals(pipeline! { range(3) |> partition(2, split_on_marker = true) }), "[0, 1] [2]");
}

#[test]
fn a_consumed_marker_needs_no_policy() {
    let groups = pipeline! { range(4) |> m @ marker::insert_periodic(2) |> marker::on(|| (), m, consume = true)
    |> partition(3) };
    assert_eq!(signals(groups), "[0, 1, 2] [3]");
}

#[test]
fn a_group_is_pulled_when_it_is_asked_for_and_not_before() {
    let mut pulled = 0;
    let mut groups = pipeline! { range(9) |> each(|_| pulled += 1) |> partition(3) };
    assert_eq!(groups.next(), Some(vec![0, 1, 2]));
    drop(groups);
    assert_eq!(pulled, 3);
}

#[test]
fn it_groups_below_a_queue_and_above_one() {
    let groups: Vec<Vec<i32>> = pipeline! {
        range(50) |> o @ order::save(8) |> thread::map(|x| x, 2) |> order::load(o) |> partition(3) |> p @ order::save(8)
            |> thread::map(|g| g, 2) |> order::load(p) |> collect()
    };
    assert_eq!(groups, (0..50).collect::<Vec<_>>().chunks(3).map(<[i32]>::to_vec).collect::<Vec<_>>());
}

#[test]
fn the_size_hint_counts_groups() {
    assert_eq!(pipeline! { range(7) |> partition(3) }.size_hint().0, 3);
}
