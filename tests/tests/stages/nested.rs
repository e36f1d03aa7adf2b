//! Stages upon stages: what one leaves must be what the next one finds.
use tinypl::pipeline;
use tinypl_tests::{signals, watchdog};

#[test]
fn markers_through_flatten_map_and_partition() {
    let pipe = pipeline! {
        [vec![1, 2, 3], vec![], vec![4]] |> marker::insert_periodic(1) |> flatten() |> map(|x| 10 * x)
            |> partition(2, markers = after)
            |> map(|group| group.len())
    };
    // 10 20 | 30 * * 40 | *
    assert_eq!(signals(pipe), "2 2 * * *");
}

#[test]
fn markers_through_partition_and_back() {
    let pipe =
        pipeline! { range(5) |> marker::insert_periodic(2) |> partition(2, split_on_marker = true) |> flatten() };
    assert_eq!(signals(pipe), "0 1 * 2 3 * 4");
}

#[test]
fn a_pipeline_that_ended_stays_ended() {
    let mut pipe = pipeline! { range(3) |> marker::insert_periodic(1) |> partition(2, markers = before)
    |> flatten() |> zip(0..) |> take(3) };
    assert_eq!(pipe.by_ref().count(), 3);
    for _ in 0..3 {
        assert_eq!(pipe.next(), None);
        assert_eq!(pipe.try_next().unwrap(), None);
    }
}

#[test]
fn a_stopped_pipeline_gives_nothing_more() {
    let _watchdog = watchdog(60);
    let mut serial = pipeline! { range(9) |> map(|x| x + 1) };
    assert_eq!(serial.next(), Some(1));
    serial.stop();
    serial.stop();
    assert_eq!((serial.next(), serial.size_hint()), (None, (0, Some(0))));
    let mut queued =
        pipeline! { 0.. |> o @ order::save(4) |> thread::map(|x| x, 2) |> order::load(o) |> thread::queue(1) };
    assert!(queued.next().is_some());
    queued.stop();
    assert_eq!(queued.next(), None);
}

#[test]
fn stopping_by_reference_ends_the_block_that_borrowed_not_the_pipeline() {
    let mut pipe = pipeline! { range(9) };
    let mut two = pipeline! { &mut pipe |> take(5) };
    assert_eq!(two.next(), Some(0));
    two.stop();
    assert_eq!(two.next(), None);
    drop(two);
    assert_eq!(pipe.next(), Some(1));
}

#[test]
fn blocks_upon_blocks_upon_blocks() {
    let _watchdog = watchdog(60);
    pipeline! { let mut a = range(40) |> m @ marker::insert_periodic(4) |> o @ order::save(5); }
    let mut b = pipeline! { a.by_ref() |> map(|x| x + 1) };
    let mut c = pipeline! { &mut b |> filter(|x| x % 2 == 0) };
    let mut d = pipeline! { c.by_ref() |> order::load(o) };
    assert_eq!(pipeline! { &mut d |> marker::until(m) |> collect::<Vec<_>>() }, [2, 4]);
    assert_eq!(pipeline! { &mut d |> marker::until(m) |> collect::<Vec<_>>() }, [6, 8]);
    assert_eq!(d.next(), Some(10));
    drop(d);
    drop(c);
    assert_eq!(b.next(), Some(11));
    assert_eq!(a.next(), Some(11));
}
