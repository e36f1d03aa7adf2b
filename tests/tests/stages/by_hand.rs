//! Stages without the macro: plain functions, options as setters, handles from the stage.
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;
use tinypl::{Pipeline, chain, enumerate, marker, partition, ratelimit, skip, source, take, thread, zip};
use tinypl_tests::watchdog;

#[test]
fn one_stream_after_and_beside_another() {
    let chained = chain(skip(take(source(0..9), 5), 2), 7..9);
    let zipped = zip(enumerate(chained), "abcdefg".chars());
    let all: Vec<_> = Pipeline::new(zipped).collect();
    assert_eq!(all, [((0, 2), 'a'), ((1, 3), 'b'), ((2, 4), 'c'), ((3, 7), 'd'), ((4, 8), 'e')]);
}

#[test]
fn threads_see_each_item() {
    let _watchdog = watchdog(60);
    let seen = AtomicUsize::new(0);
    let sum = std::thread::scope(|scope| {
        let see = |x: &usize| _ = seen.fetch_add(*x, SeqCst);
        let stage = thread::each(thread::mutex(source(0..100_usize)), see).workers(3).maxsize(8).scope(scope);
        Pipeline::new(stage).sum::<usize>()
    });
    assert_eq!((sum, seen.into_inner()), (4950, 4950));
}

#[test]
fn a_limit_says_when_the_next_may_come() {
    let mut limited = ratelimit(source(0..3), 2, Duration::from_secs(3600));
    let limit = limited.handle();
    let mut pipe = Pipeline::new(limited);
    assert_eq!(pipe.by_ref().take(2).collect::<Vec<_>>(), [0, 1]);
    assert!(limit.time_to_next_drop() > Duration::from_secs(3000));
}

#[test]
fn markers_are_heard_of_and_end_a_part() {
    let heard = AtomicUsize::new(0);
    let marked = marker::insert_periodic(source(0..7)).n(3);
    let m = marked.handle();
    let on = marker::on(marked, || _ = heard.fetch_add(1, SeqCst), m);
    let mut pipe = Pipeline::new(partition(on, 2).markers(marker::Before));
    let part: Vec<_> = Pipeline::new(marker::until(pipe.by_ref().into_pipe(), m)).collect();
    assert_eq!(part, [[0, 1]]);
    assert_eq!(pipe.collect::<Vec<_>>(), [vec![2, 3], vec![4, 5], vec![6]]);
    assert_eq!(heard.into_inner(), 2);
}
