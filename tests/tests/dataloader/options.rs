//! The options, by macro and by hand.
use std::process::id;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use tinypl::dataloader::{self, EpochEnd, Serial, sampler};
use tinypl::{Pipeline, marker, pipeline};
use tinypl_tests::{linger, tidy, watchdog};

#[test]
fn what_the_macro_writes_can_be_written_by_hand() {
    let _watchdog = watchdog(60);
    let numbers = || dataloader::from_fn(10, |i| if i < 100 { Ok(i) } else { Err("too large") });
    pipeline! {
        let mut by_macro = e @ dataloader::load(numbers(), batchsize = 4, sampler = sampler::shuffle(1), fallible = true,
            map = thread(workers = 2, maxsize = 3), collate = |batch| batch.len(), collate_map = serial, epoch_end = keep_last);
    }
    let loader = dataloader::load(numbers())
        .batchsize(4)
        .sampler(sampler::shuffle(1))
        .fallible()
        .map(dataloader::thread().workers(2).maxsize(3))
        .collate(|batch| batch.len())
        .collate_map(Serial)
        .epoch_end(EpochEnd::KeepLast)
        .epoch_marker()
        .build();
    let end = loader.handle();
    let by_hand = Pipeline::new(marker::until(loader, end));
    let by_macro: Vec<usize> = pipeline! { &mut by_macro |> marker::until(e) |> collect() };
    assert_eq!(by_macro, [4, 4, 2]);
    assert_eq!(by_hand.collect::<Vec<_>>(), by_macro);
}

#[test]
fn options_come_in_any_order_and_fallible_first_or_last() {
    let words = || dataloader::from_fn(4, |i| ["a", "bc", "d", "e"].get(i).ok_or("none"));
    let once = sampler::sequential().epochs(1);
    let lengths: Vec<usize> = pipeline! {
        dataloader::load(words(), collate = |words| words.iter().map(|word| word.len()).sum(), sampler = once, batchsize = 2,
            fallible = true)
        |> collect()
    };
    assert_eq!(lengths, [3, 2]);
    let results: Vec<bool> = pipeline! {
        dataloader::load(words(), 2, fallible = false, collate = |words| words.iter().all(|word| word.is_ok()), sampler = once)
        |> collect()
    };
    assert_eq!(results, [true, true]);
}

#[test]
fn words_in_parentheses_are_rust_values() {
    let _watchdog = watchdog(60);
    let (thread, keep_last, process) = (dataloader::thread().workers(1), EpochEnd::KeepLast, Serial);
    let batches: Vec<Vec<i32>> = pipeline! {
        dataloader::load([1, 2, 3], 2, sampler = sampler::sequential().epochs(2), map = (thread), epoch_end = (keep_last),
            collate_map = (process))
        |> collect()
    };
    assert_eq!(batches.len(), 4);
}

#[test]
fn collate_may_capture_where_threads_or_nobody_else_run_it() {
    let _watchdog = watchdog(60);
    let once = sampler::sequential().epochs(1);
    let names = vec!["a".to_owned(), "b".to_owned()];
    let joined =
        |names: Vec<String>| move |batch: Vec<usize>| batch.iter().map(|i| names[*i].as_str()).collect::<String>();
    let join = joined(names.clone());
    let serial: Vec<String> = pipeline! { dataloader::load([0, 1, 1], 2, sampler = once, collate = join) |> collect() };
    let join = joined(names);
    let threads: Vec<String> = pipeline! {
        dataloader::load([0, 1, 1], 2, sampler = once, collate = join, map = thread(workers = 2)) |> collect()
    };
    assert_eq!((serial.as_slice(), threads.as_slice()), (&["ab".to_owned(), "b".to_owned()][..], serial.as_slice()));
}

#[test]
fn nothing_is_loaded_before_it_is_asked_for_where_nobody_prefetches() {
    let loaded = AtomicUsize::new(0);
    let counted = dataloader::from_fn(10, |i| {
        loaded.fetch_add(1, SeqCst);
        i
    });
    let mut pipe = pipeline! { dataloader::load(counted, 3, sampler = sampler::shuffle(1)) };
    assert_eq!(loaded.load(SeqCst), 0);
    let _ = pipe.next();
    assert_eq!(loaded.load(SeqCst), 3);
}

#[test]
fn no_more_is_loaded_ahead_than_maxsize_and_the_workers_hold() {
    let _watchdog = watchdog(60);
    let started = AtomicUsize::new(0);
    std::thread::scope(|s| {
        let counted = dataloader::from_fn(1000, |i| {
            started.fetch_add(1, SeqCst);
            i
        });
        let mut pipe = pipeline! { dataloader::load(counted, 10, map = thread(workers = 2, maxsize = 3, scope = s)) };
        for taken in 1..20 {
            assert!(pipe.next().is_some());
            linger();
            assert!(started.load(SeqCst) <= 10 * (taken + 3 + 2), "{started:?} after {taken}");
        }
    });
}

/// In the worker that loaded the batch, unless somebody else is named: what comes of a batch may be small, and its samples not.
#[test]
fn who_collates() {
    let _tidy = tidy(300);
    let by = |_: usize| id();
    macro_rules! batches {
        ($($options:tt)*) => {{
            let all: Vec<(Vec<u32>, u32)> = pipeline! {
                dataloader::load(dataloader::from_fn(40, by), 4, sampler = sampler::sequential().epochs(1),
                    collate = |samples| (samples, id()), $($options)*)
                |> collect()
            };
            assert!(all.len() == 10 && all.iter().all(|(samples, _)| samples.len() == 4), "{all:?}");
            all
        }};
    }
    let is_worker = |pid: u32| pid != id();
    for (samples, collated) in batches!(map = process(workers = 2)) {
        assert!(is_worker(collated) && samples == [collated; 4], "{samples:?}, {collated}");
    }
    for (samples, collated) in batches!(map = process(workers = 2), collate_map = serial) {
        assert!(!is_worker(collated) && samples.into_iter().all(is_worker), "{collated}");
    }
    for (samples, collated) in batches!(map = process(workers = 2), collate_map = thread(workers = 2)) {
        assert!(!is_worker(collated) && samples.into_iter().all(is_worker), "{collated}");
    }
    for (samples, collated) in batches!(map = process(workers = 2), collate_map = process(workers = 1)) {
        assert!(
            is_worker(collated) && !samples.contains(&collated) && samples.into_iter().all(is_worker),
            "{collated}"
        );
    }
    for (samples, collated) in batches!(map = serial, collate_map = process(workers = 1)) {
        assert!(is_worker(collated) && samples == [id(); 4], "{samples:?}, {collated}");
    }
}

#[test]
fn several_workers_are_at_one_batch_with_collate_map() {
    let _watchdog = watchdog(60);
    let met = std::sync::Barrier::new(4);
    let batches: Vec<Vec<usize>> = std::thread::scope(|s| {
        let samples = dataloader::from_fn(4, |i| {
            met.wait();
            i
        });
        pipeline! {
            dataloader::load(samples, 4, sampler = sampler::sequential().epochs(1), map = thread(workers = 4, scope = s),
                collate_map = serial)
            |> collect()
        }
    });
    assert_eq!(batches, [[0, 1, 2, 3]]);
}

#[test]
#[should_panic(expected = "`batchsize` of `dataloader::load` must be at least 1")]
fn batches_of_none() {
    let n = 0;
    let _ = pipeline! { dataloader::load([1], n) };
}

#[test]
fn a_batch_larger_than_the_dataset_takes_several_epochs_or_is_short() {
    let load =
        |end| pipeline! { dataloader::load([1, 2], 5, sampler = sampler::sequential().epochs(3), epoch_end = (end)) };
    assert_eq!(load(EpochEnd::Ignore).collect::<Vec<_>>(), [vec![1, 2, 1, 2, 1], vec![2]]);
    assert_eq!(load(EpochEnd::KeepLast).collect::<Vec<_>>(), [[1, 2]; 3]);
    assert_eq!(load(EpochEnd::DropLast).count(), 0);
}
