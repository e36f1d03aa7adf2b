//! `take(n)` and `skip(n)`.
use tinypl::pipeline;
use tinypl_tests::signals;

#[test]
fn take_gives_the_first_items() {
    assert_eq!(pipeline! { range(9) |> take(2) |> collect::<Vec<_>>() }, [0, 1]);
    assert_eq!(pipeline! { range(2) |> take(9) |> collect::<Vec<_>>() }, [0, 1]);
    let none = 0;
    assert_eq!(pipeline! { range(9) |> take(none) |> count() }, 0);
}

#[test]
fn take_leaves_the_rest_where_it_was() {
    let mut all = pipeline! { 0.. };
    assert_eq!(pipeline! { &mut all |> take(2) |> collect::<Vec<_>>() }, [0, 1]);
    assert_eq!(all.next(), Some(2));
}

#[test]
fn take_passes_the_markers_before_its_last_item() {
    assert_eq!(signals(pipeline! { range(9) |> marker::insert_periodic(2) |> take(4) }), "0 1 * 2 3");
    assert_eq!(signals(pipeline! { range(9) |> marker::insert_periodic(1, after = false) |> take(2) }), "* 0 * 1");
}

#[test]
fn take_does_not_count_markers() {
    let mut marked = pipeline! { range(5) |> marker::insert_periodic(1) };
    assert_eq!(pipeline! { &mut marked |> take(3) |> count() }, 3);
    assert_eq!(signals(marked), "* 3 * 4 *");
}

#[test]
fn skip_leaves_out_the_first_items() {
    assert_eq!(pipeline! { range(5) |> skip(3) |> collect::<Vec<_>>() }, [3, 4]);
    assert_eq!(pipeline! { range(5) |> skip(9) |> count() }, 0);
    let none = 0;
    assert_eq!(pipeline! { range(5) |> skip(none) |> count() }, 5);
}

#[test]
fn skip_passes_the_markers_between_skipped_items() {
    assert_eq!(signals(pipeline! { range(5) |> marker::insert_periodic(1) |> skip(3) }), "* * * 3 * 4 *");
}

#[test]
fn both_stand_inside_an_order() {
    let all: Vec<i32> = pipeline! {
        range(1000) |> o @ order::save(4) |> skip(10) |> take(20) |> thread::map(|x| x, 2) |> order::load(o)
            |> collect()
    };
    assert_eq!(all, (10..30).collect::<Vec<_>>());
}

#[test]
fn what_take_left_of_an_order_is_no_obstacle_to_what_follows() {
    pipeline! { let mut saved = range(20) |> o @ order::save(3); }
    for k in 0..6 {
        let three: Vec<i32> = pipeline! { &mut saved |> take(3) |> order::load(o) |> collect() };
        assert_eq!(three, [3 * k, 3 * k + 1, 3 * k + 2]);
    }
}

#[test]
fn the_size_hints() {
    assert_eq!(pipeline! { range(9) |> take(4) }.size_hint(), (4, Some(4)));
    assert_eq!(pipeline! { range(2) |> take(4) }.size_hint(), (2, Some(2)));
    assert_eq!(pipeline! { 0.. |> take(4) }.size_hint(), (4, Some(4)));
    assert_eq!(pipeline! { range(9) |> filter(|_| true) |> take(4) }.size_hint(), (0, Some(4)));
    assert_eq!(pipeline! { range(9) |> skip(4) }.size_hint(), (5, Some(5)));
    assert_eq!(pipeline! { range(2) |> skip(4) }.size_hint(), (0, Some(0)));
}
