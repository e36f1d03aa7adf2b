//! `marker::insert_periodic`, `marker::on`, `marker::until`, and markers through the stages.
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use tinypl::pipeline;
use tinypl_tests::{signals, watchdog};

#[test]
fn a_marker_after_every_nth_item() {
    assert_eq!(signals(pipeline! { range(5) |> marker::insert_periodic(2) }), "0 1 * 2 3 * 4");
    assert_eq!(signals(pipeline! { range(2) |> marker::insert_periodic(1) }), "0 * 1 *");
    assert_eq!(signals(pipeline! { range(2) |> marker::insert_periodic(3) }), "0 1");
    assert_eq!(signals(pipeline! { range(2) |> marker::insert_periodic(2, after = true) }), "0 1 *");
    assert_eq!(signals(pipeline! { range(0) |> marker::insert_periodic(1) }), "");
}

#[test]
fn a_marker_before_every_nth_item() {
    assert_eq!(signals(pipeline! { range(5) |> marker::insert_periodic(2, after = false) }), "0 * 1 2 * 3 4");
    assert_eq!(signals(pipeline! { range(2) |> marker::insert_periodic(1, false) }), "* 0 * 1");
    let after = false;
    assert_eq!(signals(pipeline! { range(2) |> marker::insert_periodic(n = 2, after = after) }), "0 * 1");
}

#[test]
fn markers_do_not_count_as_items_for_another_marker() {
    let twice = pipeline! { range(4) |> marker::insert_periodic(1) |> marker::insert_periodic(2) };
    assert_eq!(signals(twice), "0 ** 1 * ** 2 ** 3 * **");
}

#[test]
fn the_iterator_face_skips_markers() {
    let mut marked = pipeline! { range(3) |> marker::insert_periodic(1, after = false) };
    assert_eq!(marked.next(), Some(0));
    assert_eq!(marked.try_next().unwrap(), Some(1));
    assert_eq!(marked.collect::<Vec<_>>(), [2]);
}

#[test]
fn on_calls_its_function_when_the_marker_passes() {
    let mut log = vec![];
    let log_it = std::cell::RefCell::new(&mut log);
    pipeline! {
        range(4) |> m @ marker::insert_periodic(2) |> marker::on(|| log_it.borrow_mut().push(-1), m)
            |> for_each(|x| log_it.borrow_mut().push(x))
    }
    assert_eq!(log, [0, 1, -1, 2, 3, -1]);
}

#[test]
fn on_passes_the_marker_on() {
    let mut calls = 0;
    assert_eq!(
        signals(pipeline! { range(4) |> m @ marker::insert_periodic(2) |> marker::on(|| calls += 1, m) }),
        "0 1 * 2 3 *"
    );
    assert_eq!(
        signals(
            pipeline! { range(4) |> m @ marker::insert_periodic(2) |> marker::on(|| calls += 1, m, consume = false) }
        ),
        "0 1 * 2 3 *"
    );
    assert_eq!(calls, 4);
}

#[test]
fn on_hears_its_own_marker_only() {
    let (mut twos, mut threes, mut any) = (0, 0, 0);
    let n = pipeline! {
        range(6) |> two @ marker::insert_periodic(2) |> three @ marker::insert_periodic(3)
            |> marker::on(|| twos += 1, two) |> marker::on(|| threes += 1, m = three) |> marker::on(|| any += 1)
            |> count()
    };
    assert_eq!((n, twos, threes, any), (6, 3, 2, 5));
}

#[test]
fn consume_as_a_literal_takes_the_marker_out_of_the_stream_and_its_type() {
    let mut calls = 0;
    let pipe = pipeline! { range(4) |> m @ marker::insert_periodic(2)
    |> marker::on(|| calls += 1, m, consume = true) |> partition(3) };
    assert_eq!(signals(pipe), "[0, 1, 2] [3]");
    assert_eq!(calls, 2);
}

#[test]
fn consume_takes_out_its_own_marker_only() {
    let both = || pipeline! { range(4) |> marker::insert_periodic(1) |> marker::insert_periodic(2) };
    assert_eq!(signals(both()), "0 ** 1 * ** 2 ** 3 * **");
    pipeline! { let lower = range(4) |> one @ marker::insert_periodic(1) |> two @ marker::insert_periodic(2)
    |> marker::on(|| (), two, consume = true); }
    let _ = two;
    assert_eq!(pipeline! { lower |> marker::until(one) |> count() }, 1);
    pipeline! { let upper = range(4) |> one @ marker::insert_periodic(1) |> two @ marker::insert_periodic(2)
    |> marker::on(|| (), one, true); }
    let _ = one;
    assert_eq!(pipeline! { upper |> marker::until(two) |> count() }, 2);
}

#[test]
fn consume_without_a_marker_takes_out_all() {
    let mut calls = 0;
    let pipe = pipeline! {
        range(4) |> marker::insert_periodic(1) |> marker::insert_periodic(2)
            |> marker::on(|| calls += 1, consume = true) |> partition(4)
    };
    assert_eq!((pipe.collect::<Vec<_>>(), calls), (vec![vec![0, 1, 2, 3]], 6));
}

#[test]
fn consume_may_be_decided_at_run_time() {
    for consume in [false, true] {
        let mut calls = 0;
        let pipe =
            pipeline! { range(4) |> m @ marker::insert_periodic(2) |> marker::on(|| calls += 1, m, consume = consume) };
        assert_eq!(signals(pipe), if consume { "0 1 2 3" } else { "0 1 * 2 3 *" });
        assert_eq!(calls, 2);
    }
}

#[test]
fn on_stands_above_a_queue() {
    let _watchdog = watchdog(60);
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    let n = pipeline! {
        range(100) |> m @ marker::insert_periodic(10)
            |> marker::on(|| { CALLS.fetch_add(1, Relaxed); }, m, consume = true) |> thread::queue(4) |> count()
    };
    assert_eq!((n, CALLS.load(Relaxed)), (100, 10));
}

#[test]
fn until_ends_at_its_marker_and_the_upstream_goes_on() {
    pipeline! { let mut pipe = range(5) |> m @ marker::insert_periodic(2); }
    assert_eq!(pipeline! { &mut pipe |> marker::until(m) |> collect::<Vec<_>>() }, [0, 1]);
    assert_eq!(pipe.next(), Some(2));
    assert_eq!(signals(pipe), "3 * 4");
}

#[test]
fn until_consumes_its_marker() {
    pipeline! { let mut pipe = range(4) |> m @ marker::insert_periodic(2); }
    assert_eq!(signals(pipeline! { &mut pipe |> marker::until(m) }), "0 1");
    assert_eq!(signals(pipe), "2 3 *");
}

#[test]
fn until_stays_ended() {
    pipeline! { let mut pipe = range(9) |> m @ marker::insert_periodic(2); }
    let mut first = pipeline! { &mut pipe |> marker::until(m) };
    assert_eq!(first.by_ref().count(), 2);
    assert_eq!((first.next(), first.next()), (None, None));
    drop(first);
    assert_eq!(pipe.next(), Some(2));
}

#[test]
fn until_passes_other_markers() {
    pipeline! { let mut pipe = range(6) |> two @ marker::insert_periodic(2) |> three @ marker::insert_periodic(3); }
    assert_eq!(signals(pipeline! { &mut pipe |> marker::until(three) }), "0 1 ** 2");
    assert_eq!(signals(pipeline! { &mut pipe |> marker::until(two) }), "3");
    assert_eq!(signals(pipe), "4 5 * **");
}

#[test]
fn until_without_a_marker_ends_at_any() {
    let mut pipe = pipeline! { range(6) |> marker::insert_periodic(2) |> marker::insert_periodic(3) };
    let counts: Vec<usize> = (0..5).map(|_| pipeline! { &mut pipe |> marker::until() |> count() }).collect();
    assert_eq!(counts, [2, 1, 1, 2, 0]);
}

#[test]
fn until_at_a_marker_that_never_comes_is_the_whole_stream() {
    assert_eq!(pipeline! { range(5) |> m @ marker::insert_periodic(9) |> marker::until(m) |> count() }, 5);
}

#[test]
fn an_empty_stretch_between_two_markers_is_empty() {
    let mut pipe = pipeline! { range(4) |> marker::insert_periodic(1) |> filter(|x| x % 2 == 1) };
    let stretches: Vec<Vec<i32>> = (0..4).map(|_| pipeline! { &mut pipe |> marker::until() |> collect() }).collect();
    assert_eq!(stretches, [vec![], vec![1], vec![], vec![3]]);
}

#[test]
fn the_example_of_the_growing_lists() {
    let hello = AtomicUsize::new(0);
    pipeline! {
        let mut pipe = range(50)
            |> map(|i| 0..i + 1)
            |> m @ marker::insert_periodic(n = 1, after = true)
            |> flatten()
            |> map(|x| x + 1)
            |> marker::on(|| { hello.fetch_add(1, Relaxed); }, m);
    }
    assert_eq!(pipeline! { &mut pipe |> marker::until(m) |> collect::<Vec<_>>() }, [1]);
    assert_eq!(pipeline! { &mut pipe |> marker::until(m) |> collect::<Vec<_>>() }, [1, 2]);
    assert_eq!(hello.load(Relaxed), 2);
    assert_eq!(pipeline! { &mut pipe |> marker::until(m) |> collect::<Vec<_>>() }, [1, 2, 3]);
    assert_eq!(hello.load(Relaxed), 3);
}

#[test]
fn markers_pass_a_queue() {
    let _watchdog = watchdog(60);
    let queued = pipeline! { range(100) |> marker::insert_periodic(10) |> thread::map(|x| x, workers = 4) };
    let all = signals(queued);
    let (marks, items): (Vec<&str>, Vec<&str>) = all.split(' ').partition(|s| *s == "*");
    assert_eq!((marks.len(), items.len()), (10, 100));
}

#[test]
fn markers_keep_their_places_through_a_queue_inside_an_order() {
    let _watchdog = watchdog(60);
    let ordered = pipeline! {
        range(6) |> marker::insert_periodic(2) |> o @ order::save(4) |> thread::map(|x| 10 * x, workers = 4)
            |> order::load(o)
    };
    assert_eq!(signals(ordered), "0 10 * 20 30 * 40 50 *");
}

#[test]
fn epochs_through_queue_order_and_partition() {
    let _watchdog = watchdog(60);
    pipeline! {
        let mut batches = range(14) |> epoch @ marker::insert_periodic(7) |> o @ order::save(4)
            |> thread::map(|x| x, workers = 2)
            |> order::load(o) |> partition(3, markers = after, split_on_marker = true) |> p @ order::save(2)
            |> thread::map(|b| b.len(), 2)
            |> order::load(p);
    }
    for _ in 0..2 {
        assert_eq!(pipeline! { &mut batches |> marker::until(epoch) |> collect::<Vec<_>>() }, [3, 3, 1]);
    }
    assert_eq!(batches.next(), None);
}
