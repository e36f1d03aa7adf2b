//! `o @ order::save(maxsize)` and `order::load(o)`.
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use tinypl::pipeline;
use tinypl_tests::{signals, watchdog};

#[test]
fn the_order_is_restored_below_a_queue() {
    let _watchdog = watchdog(60);
    for maxsize in [1, 2, 8, 1000] {
        let all: Vec<i32> = pipeline! {
            range(500) |> o @ order::save(maxsize) |> thread::map(|x| 2 * x, workers = 4) |> order::load(o) |> collect()
        };
        assert_eq!(all, (0..500).map(|x| 2 * x).collect::<Vec<_>>());
    }
}

#[test]
fn what_comes_early_waits_for_its_turn() {
    let _watchdog = watchdog(60);
    // item 0 is not done before item 3 is
    let done = (std::sync::Mutex::new(false), std::sync::Condvar::new());
    let all: Vec<i32> = std::thread::scope(|s| {
        pipeline! {
            range(6) |> o @ order::save(4)
                |> thread::map(|x| {
                    match x {
                        0 => drop(done.1.wait_while(done.0.lock().unwrap(), |done| !*done).unwrap()),
                        3 => {
                            *done.0.lock().unwrap() = true;
                            done.1.notify_all();
                        }
                        _ => {}
                    }
                    x
                }, workers = 2, scope = s)
                |> order::load(o) |> collect()
        }
    });
    assert_eq!(all, [0, 1, 2, 3, 4, 5]);
}

#[test]
fn save_and_load_on_one_thread_change_nothing() {
    for maxsize in [1, 3, 100] {
        let all: Vec<i32> =
            pipeline! { range(50) |> o @ order::save(maxsize) |> map(|x| x + 1) |> order::load(o) |> collect() };
        assert_eq!(all, (1..51).collect::<Vec<_>>());
    }
}

#[test]
fn at_most_maxsize_items_are_under_way() {
    let _watchdog = watchdog(60);
    let (under_way, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|s| {
        let pipe = pipeline! {
            range(300) |> o @ order::save(3)
                |> thread::each(
                    |_| { most.fetch_max(under_way.fetch_add(1, SeqCst) + 1, SeqCst); },
                    workers = 8, scope = s)
                |> order::load(o)
        };
        for (i, x) in pipe.enumerate() {
            assert_eq!(x, i);
            under_way.fetch_sub(1, SeqCst);
        }
    });
    // one more has reached `load`, and its place was given on before this thread counted it
    assert!(most.into_inner() <= 3 + 1);
}

#[test]
fn filtered_items_are_not_waited_for() {
    let _watchdog = watchdog(60);
    let odd: Vec<i32> = pipeline! {
        range(200) |> o @ order::save(2) |> filter(|x| x % 2 == 1) |> thread::map(|x| x, 2)
            |> filter_map(|x| (x % 3 != 0).then_some(x))
            |> order::load(o) |> collect()
    };
    assert_eq!(odd, (0..200).filter(|x| x % 2 == 1 && x % 3 != 0).collect::<Vec<_>>());
}

#[test]
fn a_filter_that_drops_every_item_ends_cleanly() {
    let _watchdog = watchdog(60);
    assert_eq!(pipeline! { range(200) |> o @ order::save(2) |> filter(|_| false) |> order::load(o) |> count() }, 0);
    assert_eq!(
        pipeline! { range(200) |> o @ order::save(2) |> filter(|_| false) |> thread::queue(4) |> order::load(o)
        |> count() },
        0
    );
    assert_eq!(
        pipeline! { range(200) |> o @ order::save(2) |> thread::queue(4) |> filter(|_| false) |> order::load(o)
        |> count() },
        0
    );
}

#[test]
fn orders_nest() {
    let _watchdog = watchdog(60);
    let all: Vec<i32> = pipeline! {
        range(100) |> a @ order::save(8) |> thread::map(|x| x, 3) |> b @ order::save(4) |> thread::map(|x| x + 1, 3)
            |> order::load(b) |> order::load(a) |> collect()
    };
    assert_eq!(all, (1..101).collect::<Vec<_>>());
}

#[test]
fn orders_nest_around_filters() {
    let _watchdog = watchdog(60);
    let all: Vec<i32> = pipeline! {
        range(200) |> a @ order::save(3) |> filter(|x| x % 2 == 0) |> b @ order::save(2) |> filter(|x| x % 3 == 0)
            |> thread::map(|x| x, 2)
            |> order::load(b) |> filter(|x| x % 5 == 0) |> order::load(a) |> collect()
    };
    assert_eq!(all, (0..200).filter(|x| x % 30 == 0).collect::<Vec<_>>());
}

#[test]
fn orders_follow_one_another() {
    let _watchdog = watchdog(60);
    let all: Vec<i32> = pipeline! {
        range(100) |> a @ order::save(4) |> thread::map(|x| x, 3) |> order::load(a) |> partition(3) |> flatten()
            |> a @ order::save(4) |> thread::map(|x| x, 3) |> order::load(a) |> collect()
    };
    assert_eq!(all, (0..100).collect::<Vec<_>>());
}

#[test]
fn markers_inside_an_order_keep_their_places() {
    assert_eq!(
        signals(pipeline! { range(4) |> marker::insert_periodic(2) |> o @ order::save(1) |> filter(|x| *x != 2)
        |> order::load(o) }),
        "0 1 * 3 *"
    );
}

#[test]
fn a_marker_consumed_inside_an_order_is_not_waited_for() {
    let _watchdog = watchdog(60);
    let mut calls = 0;
    let all = pipeline! {
        range(10) |> m @ marker::insert_periodic(1) |> o @ order::save(1)
            |> marker::on(|| calls += 1, m, consume = true) |> order::load(o)
    };
    assert_eq!(signals(all), "0 1 2 3 4 5 6 7 8 9");
    assert_eq!(calls, 10);
    let consume = true;
    let all = pipeline! {
        range(10) |> m @ marker::insert_periodic(1) |> o @ order::save(1)
            |> marker::on(|| calls += 1, m, consume = consume) |> order::load(o)
    };
    assert_eq!(signals(all), "0 1 2 3 4 5 6 7 8 9");
    assert_eq!(calls, 20);
}

#[test]
fn until_inside_an_order_ends_there_and_the_order_is_loaded_in_a_later_block() {
    let _watchdog = watchdog(60);
    pipeline! { let mut saved = range(6) |> m @ marker::insert_periodic(2) |> o @ order::save(1); }
    let first: Vec<i32> = pipeline! { &mut saved |> marker::until(m) |> collect() };
    let second: Vec<i32> = pipeline! { &mut saved |> marker::until(m) |> order::load(o) |> collect() };
    let rest: Vec<i32> = pipeline! { saved |> order::load(o) |> collect() };
    assert_eq!((first, second, rest), (vec![0, 1], vec![2, 3], vec![4, 5]));
}

#[test]
fn until_inside_an_order_below_a_queue() {
    let _watchdog = watchdog(60);
    pipeline! {
        let mut saved = range(60) |> m @ marker::insert_periodic(2) |> o @ order::save(2)
            |> thread::map(|x| x, workers = 1);
    }
    let mut all = vec![];
    for _ in 0..30 {
        let two: Vec<i32> = pipeline! { &mut saved |> marker::until(m) |> order::load(o) |> collect() };
        all.extend(two);
    }
    assert_eq!(all, (0..60).collect::<Vec<_>>());
}

#[test]
fn an_order_that_is_never_loaded_is_no_obstacle_to_next() {
    let _watchdog = watchdog(60);
    pipeline! { let mut serial = range(100) |> o @ order::save(1) |> filter(|x| x % 2 == 0); }
    assert_eq!(serial.next(), Some(0));
    assert_eq!(o.maxsize(), 1);
    assert_eq!(serial.by_ref().take(9).count(), 9);
    assert_eq!(serial.collect::<Vec<_>>(), (20..100).step_by(2).collect::<Vec<_>>());
    pipeline! { let queued = range(100) |> p @ order::save(2) |> thread::map(|x| x, workers = 2); }
    assert_eq!((queued.count(), p.maxsize()), (100, 2));
}

#[test]
fn nested_orders_that_are_never_loaded_are_no_obstacle_to_next() {
    let _watchdog = watchdog(60);
    pipeline! { let saved = range(100) |> a @ order::save(1) |> b @ order::save(1) |> thread::map(|x| x, workers = 2); }
    assert_eq!((saved.count(), a.maxsize(), b.maxsize()), (100, 1, 1));
}

#[test]
fn items_pulled_in_between_are_not_waited_for_by_a_later_load() {
    let _watchdog = watchdog(60);
    pipeline! { let mut saved = range(20) |> o @ order::save(3) |> thread::map(|x| x, workers = 1); }
    assert_eq!((saved.next(), saved.next()), (Some(0), Some(1)));
    let three: Vec<i32> = pipeline! { &mut saved |> order::load(o) |> take(3) |> collect() };
    assert_eq!(three, [2, 3, 4]);
    let mut rest: Vec<i32> = saved.collect();
    rest.sort_unstable();
    // what the first load had taken in early goes with it
    assert!(rest.is_sorted() && rest.last() == Some(&19) && rest[0] >= 5, "{rest:?}");
}

#[test]
fn set_maxsize_lets_more_items_on_their_way() {
    let _watchdog = watchdog(60);
    let all_four = Barrier::new(4);
    std::thread::scope(|s| {
        pipeline! {
            let mut pipe = range(8)
                |> o @ order::save(1)
                |> thread::map(|x| { if x >= 4 { all_four.wait(); } x }, workers = 4, scope = s)
                |> order::load(o);
        }
        assert_eq!(pipe.by_ref().take(4).collect::<Vec<_>>(), [0, 1, 2, 3]);
        o.set_maxsize(4); // else the four never meet
        assert_eq!(pipe.collect::<Vec<_>>(), [4, 5, 6, 7]);
    });
}

#[test]
fn set_maxsize_holds_back_items_from_then_on() {
    let _watchdog = watchdog(60);
    let (under_way, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|s| {
        pipeline! {
            let mut pipe = range(400)
                |> o @ order::save(64)
                |> thread::each(
                    |_| { most.fetch_max(under_way.fetch_add(1, SeqCst) + 1, SeqCst); },
                    workers = 4, scope = s)
                |> order::load(o);
        }
        o.set_maxsize(2);
        // whatever was under way is through by then
        for x in 0..100 {
            assert_eq!(pipe.next(), Some(x));
            under_way.fetch_sub(1, SeqCst);
        }
        most.store(0, SeqCst);
        for x in 100..400 {
            assert_eq!(pipe.next(), Some(x));
            under_way.fetch_sub(1, SeqCst);
        }
    });
    assert!(most.into_inner() <= 2 + 1);
}

#[test]
fn set_maxsize_while_running_keeps_the_order() {
    let _watchdog = watchdog(60);
    pipeline! { let pipe = range(2000) |> o @ order::save(1) |> thread::map(|x| x, workers = 4) |> order::load(o); }
    let mut sizes = [1, 7, 2, 100, 3].into_iter().cycle();
    for (i, x) in pipe.enumerate() {
        assert_eq!(x, i);
        if i % 50 == 0 {
            o.set_maxsize(sizes.next().unwrap());
        }
    }
}

#[test]
fn set_maxsize_from_another_thread_wakes_a_save_that_waits() {
    let _watchdog = watchdog(60);
    let both = Barrier::new(2);
    std::thread::scope(|s| {
        pipeline! {
            let pipe = range(2) |> o @ order::save(1)
                |> thread::map(|x| { both.wait(); x }, workers = 2, scope = s) |> order::load(o);
        }
        s.spawn(move || o.set_maxsize(2));
        assert_eq!(pipe.collect::<Vec<_>>(), [0, 1]);
    });
}

#[test]
fn one_save_that_runs_twice_makes_two_orders_and_crossing_them_is_an_error() {
    let mut orders = vec![];
    let mut pipes = vec![];
    for _ in 0..2 {
        pipeline! { let saved = range(9) |> o @ order::save(4); }
        orders.push(o);
        pipes.push(saved);
    }
    let crossed = pipes.pop().unwrap();
    let o = &orders[0];
    let o = o.clone();
    let error = pipeline! { crossed |> order::load(o) |> try_collect::<Vec<_>>() }.unwrap_err();
    assert_eq!(error.stage(), Some("order::load"));
    assert_eq!(error.location().unwrap().file(), file!());
    let straight = pipes.pop().unwrap();
    assert_eq!(pipeline! { straight |> order::load(o) |> collect::<Vec<_>>() }, (0..9).collect::<Vec<_>>());
}

#[test]
fn two_loads_at_work_on_one_order_are_an_error() {
    pipeline! {
        let saved = range(9) |> o @ order::save(4);
        let mut first = saved |> order::load(o);
        let mut second = saved |> order::load(o);
    }
    assert_eq!(first.try_next().unwrap(), Some(0));
    assert_eq!(second.try_next().unwrap_err().stage(), Some("order::load"));
    drop(saved);
}

#[test]
fn an_ordered_region_in_a_region_that_several_threads_pull() {
    let _watchdog = watchdog(60);
    let mut all: Vec<i32> = pipeline! {
        range(300) |> o @ order::save(4) |> thread::map(|x| x, 2) |> order::load(o) |> thread::map(|x| x + 1, 3)
            |> collect()
    };
    all.sort_unstable();
    assert_eq!(all, (1..301).collect::<Vec<_>>());
}
