//! Thread stages in a scope.
use tinypl::pipeline;
use tinypl_tests::watchdog;

#[test]
fn a_thread_stage_borrows_local_data_in_a_scope() {
    let text = String::from("to be or not");
    let letters = std::thread::scope(|s| {
        pipeline! { text.split(' ') |> thread::map(|w| w.len() + text.len(), workers = 2, scope = s)
        |> fold(0, |a, b| a + b) }
    });
    assert_eq!(letters, 9 + 4 * 12);
}

#[test]
fn a_track_in_a_scope_is_pulled_inside_it() {
    let numbers = vec![1, 2, 3];
    let mut all = std::thread::scope(|s| {
        pipeline! {
            let tens = &numbers |> q @ thread::map(|x| 10 * *x, workers = 2, scope = s);
        }
        assert!(q.maxsize() >= 4);
        tens.collect::<Vec<_>>()
    });
    all.sort_unstable();
    assert_eq!(all, [10, 20, 30]);
}

#[test]
fn the_other_half_of_a_pipeline_is_prefetched_by_reference_in_a_scope() {
    let _watchdog = watchdog(60);
    let mut pipe = pipeline! { range(100) |> map(|x| x + 1) };
    let first = std::thread::scope(|s| {
        pipeline! { &mut pipe |> thread::queue(workers = 1, maxsize = 4, scope = s) |> take(10) |> collect::<Vec<_>>() }
    });
    assert_eq!(first, (1..11).collect::<Vec<_>>());
    // what was prefetched goes with the queue: at most `maxsize` and one in the worker's hands
    let next = pipe.next().unwrap();
    assert!((11..=16).contains(&next), "{next}");
}

#[test]
fn several_stages_share_a_scope() {
    let by = 10;
    let mut all = std::thread::scope(|s| {
        let pipe = pipeline! {
            range(50) |> thread::map(|x| x * by, 2, scope = s) |> thread::map(|x| x + by, 2, scope = s)
        };
        pipe.collect::<Vec<_>>()
    });
    all.sort_unstable();
    assert_eq!(all, (0..50).map(|x| 10 * x + 10).collect::<Vec<_>>());
}
