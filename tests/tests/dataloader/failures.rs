//! Whatever goes wrong, the error names the sample, the stage and its line; nothing hangs, and nothing is left behind.
use crate::numbers;
use std::error::Error as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use tinypl::dataloader::{self, SampleError, sampler};
use tinypl::{Error, pipeline};
use tinypl_tests::{final_outcome, outcome, tidy, wait_until, watchdog};

/// That the error is the loader's, stands in this file, and says all of this.
#[track_caller]
fn assert_says(error: Option<Error>, mode: &str, parts: &[&str]) -> Error {
    let error = error.unwrap_or_else(|| panic!("no error with {mode}"));
    assert_eq!(error.stage(), Some("dataloader::load"), "{mode}: {error}");
    assert_eq!(error.location().map(|place| place.file()), Some(file!()), "{mode}: {error}");
    for part in parts {
        assert!(error.message().contains(part), "{mode}: {part:?} is not in {error}");
    }
    error
}

#[test]
fn an_err_names_the_sample_after_all_batches_before_it_in_every_mode() {
    let _tidy = tidy(300);
    macro_rules! check {
        ($mode:expr, $pipe:expr) => {
            let (batches, error) = outcome(&mut $pipe);
            assert_eq!(batches, [[0, 1, 2, 3]], "{}", $mode);
            let error = assert_says(error, $mode, &["sample 6 of epoch 0: no file 6"]);
            assert!(!error.is_panic());
            let sample =
                error.source().and_then(|source| source.downcast_ref::<SampleError>()).expect("a sample's error");
            assert_eq!((sample.index(), sample.epoch()), (6, 0));
        };
    }
    let files = dataloader::from_fn(10, |i| if i == 6 { Err(format!("no file {i}")) } else { Ok(i) });
    in_every_mode!(check: files, batchsize = 4, fallible = true);
}

#[test]
fn in_this_process_the_err_itself_is_there() {
    let _tidy = tidy(300);
    let numbers = dataloader::from_fn(2, |i| ["1", "x"][i].parse::<i32>());
    let pipe = pipeline! { dataloader::load(numbers, 2, fallible = true, map = thread(workers = 2)) };
    let error = outcome(&mut { pipe }).1.expect("it fails");
    let own = error.source().and_then(|source| source.source()).expect("the sample's source");
    assert!(own.is::<std::num::ParseIntError>());
}

#[test]
fn the_error_names_the_epoch_and_the_batch() {
    let _tidy = tidy(300);
    let numbers = dataloader::from_fn(3, |i| if i == 2 { Err("no") } else { Ok(i) });
    let pipe =
        pipeline! { dataloader::load(numbers, 2, fallible = true, sampler = vec![vec![0, 1, 0], vec![1, 0], vec![2]]) };
    let (batches, error) = final_outcome(pipe);
    assert_eq!(batches, [[0, 1], [0, 1]]);
    let error = assert_says(error, "serial", &["sample 2 of epoch 2: no"]);
    assert_eq!(error.item(), Some(2));
}

#[test]
fn a_panic_in_get_names_the_sample_in_every_mode() {
    let _tidy = tidy(300);
    macro_rules! check {
        ($mode:expr, $pipe:expr) => {
            let (_, error) = final_outcome($pipe);
            let error = assert_says(error, $mode, &["panicked: sample 6 is broken (sample 6 of epoch 0)"]);
            assert!(error.is_panic(), "{error}");
        };
    }
    let broken = dataloader::from_fn(10, |i| if i == 6 { panic!("sample {i} is broken") } else { i });
    in_every_mode!(check: broken, batchsize = 4, sampler = sampler::sequential().epochs(1));
}

#[test]
fn a_panic_in_collate_names_the_samples_in_every_mode() {
    let _tidy = tidy(300);
    macro_rules! check {
        ($mode:expr, $pipe:expr) => {
            let (_, error) = outcome(&mut $pipe);
            let error =
                assert_says(error, $mode, &["panicked: they differ (samples 8, 9 of epoch 0 and 0, 1 of epoch 1)"]);
            assert!(error.is_panic(), "{error}");
        };
    }
    fn same(batch: Vec<usize>) -> Vec<usize> {
        assert!(!batch.starts_with(&[8, 9]), "they differ");
        batch
    }
    let twice = sampler::sequential().epochs(2);
    in_every_mode!(check: numbers(10), batchsize = 4, sampler = twice, collate = same);
}

#[test]
fn a_panic_without_text_names_the_sample_too() {
    let _tidy = tidy(300);
    let broken = dataloader::from_fn(1, |i| if i == 0 { std::panic::panic_any(7) } else { i });
    assert_says(final_outcome(pipeline! { dataloader::load(broken, 1) }).1, "serial", &["sample 0 of epoch 0"]);
}

#[test]
fn the_death_of_a_worker_process_names_the_samples() {
    let _tidy = tidy(300);
    let deadly = dataloader::from_fn(10, |i| if i == 6 { std::process::abort() } else { i });
    let one = sampler::sequential().epochs(1);
    let whole = pipeline! { dataloader::load(deadly, 4, sampler = one, map = process(workers = 2)) };
    assert_says(final_outcome(whole).1, "batch", &["died at this item (samples 4, 5, 6, 7 of epoch 0)", "SIGABRT"]);
    let single =
        pipeline! { dataloader::load(deadly, 4, sampler = one, map = process(workers = 2), collate_map = serial) };
    assert_says(final_outcome(single).1, "sample", &["died at this item (sample 6 of epoch 0)", "SIGABRT"]);
    let killed = dataloader::from_fn(10, |i| {
        if i == 6 {
            let me = rustix::process::getpid();
            rustix::process::kill_process(me, rustix::process::Signal::KILL).unwrap();
        }
        i
    });
    let single =
        pipeline! { dataloader::load(killed, 4, sampler = one, map = process(workers = 2), collate_map = serial) };
    assert_says(final_outcome(single).1, "sample", &["died at this item (sample 6 of epoch 0)", "SIGKILL"]);
    let collated = pipeline! {
        dataloader::load(vec![1, 2, 3], 2, sampler = one, collate = |_| -> usize { std::process::abort() },
            collate_map = process(workers = 1))
    };
    assert_says(final_outcome(collated).1, "collate", &["died at this item (samples 0, 1 of epoch 0)", "SIGABRT"]);
}

#[test]
fn a_batch_whose_worker_dies_may_be_left_out() {
    let _tidy = tidy(300);
    let deadly = dataloader::from_fn(10, |i| if i == 6 { std::process::abort() } else { i });
    let batches: Vec<Vec<usize>> = pipeline! {
        dataloader::load(deadly, 4, sampler = sampler::sequential().epochs(1), map = process(workers = 2, on_death = skip))
        |> collect()
    };
    assert_eq!(batches, [vec![0, 1, 2, 3], vec![8, 9]]);
    // alone it is the sample that is left out
    let batches: Vec<Vec<usize>> = pipeline! {
        dataloader::load(deadly, 4, sampler = sampler::sequential().epochs(1), map = process(workers = 2, on_death = skip),
            collate_map = serial)
        |> collect()
    };
    assert_eq!(batches, [vec![0, 1, 2, 3], vec![4, 5, 7, 8], vec![9]]);
}

#[test]
fn a_sample_that_takes_too_long_is_named() {
    let _tidy = tidy(300);
    let slow = dataloader::from_fn(3, |i| {
        if i == 1 {
            loop {
                std::thread::sleep(std::time::Duration::from_secs(1));
            }
        }
        i
    });
    let limit = std::time::Duration::from_secs(2);
    let pipe = pipeline! {
        dataloader::load(slow, 1, map = process(workers = 1, item_timeout = limit, end_timeout = limit))
    };
    assert_says(final_outcome(pipe).1, "slow", &["sample 1 of epoch 0", "item_timeout"]);
}

#[test]
fn an_index_that_is_out_of_range_is_named_in_every_mode() {
    let _tidy = tidy(300);
    macro_rules! check {
        ($mode:expr, $pipe:expr) => {
            let (batches, error) = outcome(&mut $pipe);
            assert_eq!(batches, [[0, 1]], "{}", $mode);
            assert_says(error, $mode, &["sample 3 of epoch 0", "index 3 is out of range, the dataset has 3 samples"]);
        };
    }
    in_every_mode!(check: numbers(3), 2, sampler = [[0, 1, 2, 3]]);
}

#[test]
fn a_sampler_that_panics_is_the_loaders_error() {
    let _tidy = tidy(300);
    let mut n = 0;
    let epochs = std::iter::from_fn(move || {
        n += 1;
        if n < 3 { Some([0, 0]) } else { panic!("no more orders") }
    });
    let (batches, error) =
        final_outcome(pipeline! { dataloader::load([7], 2, sampler = epochs, map = thread(workers = 2)) });
    assert_eq!(batches, [[7, 7], [7, 7]]);
    assert_says(error, "sampler", &["panicked: no more orders"]);
}

#[test]
fn epochs_without_end_that_give_nothing_are_an_error() {
    let _tidy = tidy(300);
    let empty = pipeline! { dataloader::load(Vec::<u8>::new(), 2) };
    assert_says(final_outcome(empty).1, "empty", &["each epoch is empty", "never end"]);
    let dropped = pipeline! { dataloader::load([1], 2, epoch_end = drop_last, map = thread(workers = 2)) };
    assert_says(final_outcome(dropped).1, "dropped", &["no epoch fills a batch", "drop_last", "(samples in each: 1)"]);
    let shard = pipeline! { dataloader::load([1], 2, sampler = sampler::shuffle(1).shard(0, 2), collate_map = serial) };
    assert_says(final_outcome(shard).1, "shard", &["each epoch is empty"]);
}

/// Epochs without end, all the same; and how many were asked for.
fn epochs_of<const N: usize>(epoch: [usize; N]) -> (impl Iterator<Item = [usize; N]> + Send, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let epochs = std::iter::repeat_with(move || {
        count.fetch_add(1, SeqCst);
        epoch
    });
    (epochs, asked)
}

#[test]
fn a_loader_that_looks_for_its_first_batch_for_ever_can_be_dropped() {
    let _tidy = tidy(120);
    macro_rules! check {
        ($epoch:expr, $($options:tt)*) => {
            let (epochs, asked) = epochs_of($epoch);
            let pipe = pipeline! { dataloader::load(vec![1], 2, sampler = epochs, $($options)*) };
            wait_until(|| asked.load(SeqCst) > 100);
            drop(pipe);
        };
    }
    check!([], map = thread(workers = 2));
    check!([], map = process(workers = 1));
    check!([], collate_map = thread(workers = 1));
    check!([0], epoch_end = drop_last, map = thread(workers = 1), collate_map = thread(workers = 1));
}

#[test]
fn epochs_that_end_and_give_nothing_just_end() {
    let _watchdog = watchdog(60);
    let three = || sampler::sequential().epochs(3);
    assert_eq!(pipeline! { dataloader::load(Vec::<u8>::new(), 2, sampler = three()) |> count() }, 0);
    assert_eq!(pipeline! { dataloader::load([1], 2, sampler = three(), epoch_end = drop_last) |> count() }, 0);
    pipeline! { let mut batches = e @ dataloader::load(Vec::<u8>::new(), 2, sampler = three()); }
    for _ in 0..3 {
        assert_eq!(pipeline! { &mut batches |> marker::until(e) |> count() }, 0);
    }
}

#[test]
fn the_iterator_face_panics_with_the_sample() {
    let files = dataloader::from_fn(2, |i| if i == 1 { Err("no file") } else { Ok(i) });
    let mut pipe = pipeline! { dataloader::load(files, 1, fallible = true) };
    assert_eq!(pipe.next(), Some(vec![0]));
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| pipe.next())).expect_err("it panics");
    let text = panic.downcast_ref::<String>().expect("text");
    assert!(text.starts_with("sample 1 of epoch 0: no file (in `dataloader::load` at "), "{text}");
}
