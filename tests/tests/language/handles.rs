//! What `NAME @` binds, and where it is seen.
use std::sync::Arc;
use std::time::Duration;
use tinypl::pipeline;
use tinypl_tests::watchdog;

fn is_clone<T: Clone>(_: &T) {}
fn is_copy<T: Copy>(_: T) {}

#[test]
fn tracks_export_their_handles() {
    pipeline! {
        let mut pipe = range(20) |> o @ order::save(8) |> q @ thread::queue(4, 16) |> order::load(o)
            |> m @ marker::insert_periodic(5);
    }
    assert_eq!((q.maxsize(), o.maxsize()), (16, 8));
    o.set_maxsize(16);
    assert_eq!(o.maxsize(), 16);
    let first: Vec<i32> = pipeline! { &mut pipe |> marker::until(m) |> collect() };
    assert_eq!(first, [0, 1, 2, 3, 4]);
    assert_eq!(pipe.count(), 15);
    assert_eq!((q.workers(), q.fill()), (0, 0));
}

#[test]
fn handles_are_clone_and_markers_copy() {
    pipeline! {
        let pipe = range(9) |> r @ ratelimit(100, Duration::ZERO) |> m @ marker::insert_periodic(2)
            |> o @ order::save(4)
            |> q @ thread::queue(2) |> order::load(o);
    }
    is_clone(&o);
    is_clone(&q);
    is_clone(&r);
    is_copy(m);
    is_copy(m);
    assert_eq!(pipe.count(), 9);
}

#[test]
fn an_expression_blocks_handles_are_seen_inside_it_only() {
    let (o, m, q) = ("the", "user's", "own");
    let all: Vec<i32> = pipeline! {
        range(9) |> o @ order::save(4) |> q @ thread::queue(2) |> order::load(o) |> m @ marker::insert_periodic(2)
            |> each(|_| assert!(q.maxsize() >= 4)) |> marker::until(m) |> collect()
    };
    assert_eq!((all, [o, m, q]), (vec![0, 1], ["the", "user's", "own"]));
}

#[test]
fn a_handles_name_may_be_used_twice_in_different_blocks() {
    let once = || -> Vec<i32> {
        pipeline! { range(5) |> o @ order::save(4) |> thread::queue(2) |> order::load(o) |> collect() }
    };
    let again: Vec<i32> =
        pipeline! { range(5) |> o @ order::save(2) |> thread::queue(2) |> order::load(o) |> collect() };
    assert_eq!((once(), again), (vec![0, 1, 2, 3, 4], vec![0, 1, 2, 3, 4]));
}

#[test]
fn a_handle_below_its_stage_can_be_used_in_a_closure() {
    let _watchdog = watchdog(60);
    let largest: usize = pipeline! {
        range(100) |> q @ thread::queue(workers = 2, maxsize = 4) |> map(|_| q.fill()) |> fold(0, |a, b| a.max(b))
    };
    assert!(largest <= 4);
}

#[test]
fn no_handle_keeps_a_pipeline_alive() {
    let held = Arc::new(());
    let inside = held.clone();
    pipeline! {
        let pipe = 0.. |> map(move |x| { let _ = &inside; x }) |> r @ ratelimit(1000, Duration::ZERO)
            |> m @ marker::insert_periodic(2)
            |> o @ order::save(4) |> q @ thread::queue(2) |> order::load(o);
    }
    let clones = (r.clone(), o.clone(), q.clone(), m);
    drop(pipe);
    assert_eq!(Arc::strong_count(&held), 1);
    assert_eq!((q.workers(), clones.2.workers()), (0, 0));
    assert_eq!(clones.1.maxsize(), 4);
    assert_eq!(clones.0.time_to_next_drop(), Duration::ZERO);
}

#[test]
fn a_handle_passes_through_generic_functions() {
    fn widen<B>(o: &tinypl::order::Order<B>) {
        o.set_maxsize(2 * o.maxsize());
    }
    pipeline! { let pipe = range(9) |> o @ order::save(4) |> thread::queue(2) |> order::load(o); }
    widen(&o);
    assert_eq!((o.maxsize(), pipe.count()), (8, 9));
}

#[test]
fn each_queue_like_stage_has_the_live_figures() {
    let _watchdog = watchdog(60);
    pipeline! {
        let pipe = range(10) |> a @ thread::queue(1, 2) |> b @ thread::map(|x| x, 2, 4)
            |> c @ thread::each(|_| (), 3, 6)
            |> d @ thread::map_init(|| (), |(), x| x, 4, 8);
    }
    assert_eq!([a.maxsize(), b.maxsize(), c.maxsize(), d.maxsize()], [2, 4, 6, 8]);
    assert_eq!(pipe.count(), 10);
    assert_eq!([a.workers(), b.workers(), c.workers(), d.workers()], [0; 4]);
    assert_eq!([a.fill(), b.fill(), c.fill(), d.fill()], [0; 4]);
}

#[test]
fn a_queues_handle_counts_its_workers_and_its_results() {
    let _watchdog = watchdog(60);
    pipeline! { let mut pipe = 0.. |> q @ thread::queue(workers = 3, maxsize = 5); }
    while q.fill() < 5 {
        std::thread::yield_now();
    }
    assert_eq!(q.workers(), 3);
    assert!(pipe.next().is_some());
    pipe.stop();
    assert_eq!(q.workers(), 0);
}
