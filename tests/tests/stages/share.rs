//! `share()`.
use std::thread;
use tinypl::pipeline;
use tinypl_tests::{signals, watchdog};

#[test]
fn whoever_pulls_takes_the_next_item() {
    let mut a = pipeline! { range(4) |> share() };
    let mut b = a.clone();
    assert_eq!((a.next(), b.next(), a.next()), (Some(0), Some(1), Some(2)));
    drop(a);
    assert_eq!((b.next(), b.next()), (Some(3), None));
}

#[test]
fn clones_are_sources() {
    let shared = pipeline! { range(9) |> share() };
    let mut odd = pipeline! { shared.clone() |> filter(|x| x % 2 == 1) };
    let mut even = pipeline! { shared |> filter(|x| x % 2 == 0) };
    assert_eq!((odd.next(), even.next(), even.next()), (Some(1), Some(2), Some(4)));
}

#[test]
fn holders_may_be_in_different_threads() {
    let _watchdog = watchdog(60);
    let shared = pipeline! { range(1000) |> map(|x| x + 1) |> share() };
    let mut all: Vec<i32> = thread::scope(|s| {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let own = shared.clone();
                s.spawn(move || own.collect::<Vec<_>>())
            })
            .collect();
        threads.into_iter().flat_map(|t| t.join().unwrap()).collect()
    });
    all.sort_unstable();
    assert_eq!(all, (1..1001).collect::<Vec<_>>());
}

#[test]
fn markers_go_to_whoever_pulls_them() {
    let mut shared = pipeline! { range(4) |> marker::insert_periodic(2) |> share() };
    assert_eq!(pipeline! { shared.clone() |> marker::until() |> collect::<Vec<_>>() }, [0, 1]);
    assert_eq!(shared.next(), Some(2));
    assert_eq!(signals(shared), "3 *");
}

#[test]
fn stopping_one_leaves_the_others() {
    let mut a = pipeline! { range(4) |> share() };
    let mut b = a.clone();
    a.stop();
    assert_eq!((a.next(), b.next()), (None, Some(0)));
}

#[test]
fn a_queue_above_runs_until_its_last_holder_ends() {
    let _watchdog = watchdog(60);
    pipeline! { let mut a = 0.. |> q @ thread::queue(2) |> share(); }
    let mut b = a.clone();
    a.stop();
    assert_eq!(q.workers(), 2);
    assert!(b.next().is_some());
    drop(b);
    assert_eq!(q.workers(), 0);
}

#[test]
fn an_order_is_loaded_below_it() {
    pipeline! { let shared = range(20) |> o @ order::save(4) |> thread::queue(2) |> share(); }
    let loaded: Vec<i32> = pipeline! { shared |> order::load(o) |> collect() };
    assert_eq!(loaded, (0..20).collect::<Vec<_>>());
}
