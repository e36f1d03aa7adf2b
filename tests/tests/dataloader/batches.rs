//! What makes a batch, and where an epoch ends.
use crate::numbers;
use tinypl::dataloader::{self, sampler};
use tinypl::pipeline;
use tinypl_tests::{signals, tidy, wait_until, watchdog, workers};

#[test]
fn batches_run_across_epochs_in_every_mode() {
    let _tidy = tidy(300);
    macro_rules! check {
        ($mode:expr, $pipe:expr) => {
            let batches: Vec<Vec<usize>> = $pipe.take(6).collect();
            let expected = [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 0, 1], [2, 3, 4, 5], [6, 7, 8, 9], [0, 1, 2, 3]];
            assert_eq!(batches, expected, "{}", $mode);
        };
    }
    in_every_mode!(check: numbers(10), batchsize = 4);
}

#[test]
fn the_last_batch_of_an_epoch_may_be_short_in_every_mode() {
    let _tidy = tidy(300);
    macro_rules! check {
        ($mode:expr, $pipe:expr) => {
            let batches: Vec<Vec<usize>> = $pipe.collect();
            let epoch = || [vec![0, 1, 2, 3], vec![4, 5, 6, 7], vec![8, 9]];
            assert_eq!(batches, [epoch(), epoch(), epoch()].concat(), "{}", $mode);
        };
    }
    let epochs = sampler::sequential().epochs(3);
    in_every_mode!(check: numbers(10), 4, sampler = epochs, epoch_end = keep_last);
}

#[test]
fn the_last_batch_of_an_epoch_is_dropped_in_every_mode() {
    let _tidy = tidy(300);
    macro_rules! check {
        ($mode:expr, $pipe:expr) => {
            let batches: Vec<Vec<usize>> = $pipe.collect();
            assert_eq!(batches, [[0, 1, 2, 3], [4, 5, 6, 7]].repeat(3), "{}", $mode);
        };
    }
    let epochs = sampler::sequential().epochs(3);
    in_every_mode!(check: numbers(10), 4, sampler = epochs, epoch_end = drop_last);
}

#[test]
fn epochs_that_fill_their_batches_are_the_same_whatever_their_end() {
    let load = |end| {
        let all = dataloader::from_fn(6, |i| i);
        pipeline! {
            dataloader::load(all, 3, sampler = sampler::sequential().epochs(2), epoch_end = (end)) |> collect::<Vec<_>>()
        }
    };
    for end in [dataloader::EpochEnd::Ignore, dataloader::EpochEnd::KeepLast, dataloader::EpochEnd::DropLast] {
        assert_eq!(load(end), [[0, 1, 2], [3, 4, 5]].repeat(2));
    }
}

#[test]
fn the_marker_stands_after_the_batch_with_the_last_sample() {
    let all = dataloader::from_fn(5, |i| i);
    macro_rules! shown {
        ($($options:tt)*) => {{
            pipeline! {
                let batches = e @ dataloader::load(all, 2, sampler = sampler::sequential().epochs(2), $($options)*);
            }
            let _ = e;
            signals(batches)
        }};
    }
    assert_eq!(shown!(epoch_end = ignore), "[0, 1] [2, 3] [4, 0] * [1, 2] [3, 4] *");
    assert_eq!(shown!(epoch_end = keep_last), "[0, 1] [2, 3] [4] * [0, 1] [2, 3] [4] *");
    assert_eq!(shown!(epoch_end = drop_last), "[0, 1] [2, 3] * [0, 1] [2, 3] *");
    assert_eq!(shown!(collate_map = serial, epoch_end = drop_last), "[0, 1] [2, 3] * [0, 1] [2, 3] *");
}

#[test]
fn until_the_marker_is_one_epoch_in_every_mode() {
    let _tidy = tidy(300);
    macro_rules! epochs {
        ($($mode:tt)*) => {
            pipeline! {
                let mut batches = e @ dataloader::load(dataloader::from_fn(5, |i| i), 2, epoch_end = keep_last, $($mode)*);
            }
            for _ in 0..3 {
                let epoch: Vec<_> = pipeline! { &mut batches |> marker::until(e) |> collect() };
                assert_eq!(epoch, [vec![0, 1], vec![2, 3], vec![4]], stringify!($($mode)*));
            }
        };
    }
    epochs!(map = serial);
    epochs!(map = thread(workers = 2));
    epochs!(map = process(workers = 2));
    epochs!(map = thread(workers = 2), collate_map = serial);
    epochs!(map = serial, collate_map = thread(workers = 2));
    epochs!(map = process(workers = 2), collate_map = process(workers = 1));
}

#[test]
fn an_expression_sees_its_own_marker() {
    let mut epochs = 0;
    let batches = pipeline! {
        e @ dataloader::load([1, 2, 3], 2, sampler = sampler::sequential().epochs(4), epoch_end = keep_last)
        |> marker::on(|| epochs += 1, e)
        |> count()
    };
    assert_eq!((batches, epochs), (8, 4));
}

#[test]
fn another_block_may_go_on_with_threads() {
    let _watchdog = watchdog(60);
    let load = || pipeline! { dataloader::load([1, 2, 3], 2, sampler = sampler::sequential().epochs(2)) };
    assert_eq!(pipeline! { load() |> thread::map(|batch| batch.len(), workers = 2) |> fold(0, |a, b| a + b) }, 6);
    let mut pipe = load();
    assert_eq!(pipeline! { &mut pipe |> take(1) |> collect::<Vec<_>>() }, [[1, 2]]);
    assert_eq!(pipe.count(), 2);
}

#[test]
fn a_macro_rules_may_pass_the_arguments_along() {
    let _watchdog = watchdog(60);
    macro_rules! load {
        ($dataset:expr, $n:expr, $sampler:expr, $map:expr, $collate:expr) => {
            pipeline! { dataloader::load($dataset, $n, sampler = $sampler, map = $map, collate = $collate) }
        };
    }
    let sizes = load!([1, 2, 3], 2, sampler::shuffle(1).epochs(2), thread(workers = 2), |batch| batch.len());
    assert_eq!(sizes.collect::<Vec<_>>(), [2, 2, 2]);
}

#[test]
fn a_dataset_may_run_loaders_itself() {
    let _tidy = tidy(120);
    let nested = dataloader::from_fn(3, |i| {
        pipeline! {
            dataloader::load([1, 2, 3], 2, sampler = sampler::sequential().epochs(i as u64), map = thread(2))
            |> flatten()
            |> fold(0, |a, b| a + b)
        }
    });
    let threads = pipeline! { dataloader::load(nested, 3, map = thread(2), collate_map = thread(2)) |> take(1) };
    assert_eq!(threads.collect::<Vec<_>>(), [[0, 6, 12]]);
    let processes = pipeline! { dataloader::load(nested, 3, map = process(2)) |> take(1) };
    assert_eq!(processes.collect::<Vec<_>>(), [[0, 6, 12]]);
}

#[test]
fn without_a_handle_there_are_no_markers() {
    let pairs: Vec<Vec<Vec<i32>>> = pipeline! {
        dataloader::load([1, 2, 3], 1, sampler = sampler::sequential().epochs(1)) |> partition(2) |> collect()
    };
    assert_eq!(pairs, [vec![vec![1], vec![2]], vec![vec![3]]]);
}

#[test]
fn the_example_of_the_language() {
    fn stack(images: Vec<Vec<u8>>) -> Vec<f32> {
        images.concat().into_iter().map(f32::from).collect()
    }
    fn augment(images: Vec<f32>) -> Vec<f32> {
        images.into_iter().map(|x| -x).collect()
    }
    let _tidy = tidy(60);
    let dataset: Vec<Vec<u8>> = (0..100).map(|i| vec![i; 3]).collect();
    let mut batches = pipeline! {
        dataloader::load(dataset, batchsize = 32, sampler = sampler::shuffle(42).epochs(10),
                         map = thread(workers = 4), collate = stack, epoch_end = drop_last)
        |> process::map(augment, workers = 2)
    };
    assert_eq!(batches.next().map(|batch| batch.len()), Some(96));
    assert_eq!(batches.count(), 29);
}

#[test]
fn stages_follow_as_after_any_source() {
    let _watchdog = watchdog(60);
    let mut sums: Vec<usize> = pipeline! {
        dataloader::load(dataloader::from_fn(100, |i| i), 10, sampler = sampler::sequential().epochs(1))
        |> o @ order::save(4)
        |> thread::map(|batch| batch.iter().sum::<usize>(), workers = 2)
        |> order::load(o)
        |> thread::queue(workers = 2)
        |> collect()
    };
    sums.sort();
    assert_eq!(sums, (0..10).map(|i| 100 * i + 45).collect::<Vec<_>>());
}

#[test]
fn a_queue_below_a_serial_loader_loads_with_all_its_workers() {
    let _watchdog = watchdog(60);
    let gate = std::sync::Barrier::new(2);
    let met = std::thread::scope(|s| {
        // neither sample is loaded unless another thread is at the other one
        let samples = dataloader::from_fn(2, |i| {
            gate.wait();
            i
        });
        pipeline! {
            dataloader::load(samples, 1, sampler = sampler::sequential().epochs(1))
            |> thread::queue(workers = 2, scope = s)
            |> count()
        }
    });
    assert_eq!(met, 2);
}

#[test]
fn an_own_stage_and_a_track_may_hold_a_loader() {
    let batches: Vec<_> = pipeline! {
        let all = dataloader::load([1, 2, 3, 4], 2, sampler = sampler::sequential().epochs(1));
        let first = all |> take(1);
        first |> chain(all) |> collect()
    };
    assert_eq!(batches, [[1, 2], [3, 4]]);
}

#[test]
fn a_loader_may_be_dropped_at_any_time() {
    let _tidy = tidy(300);
    macro_rules! check {
        ($mode:expr, $pipe:expr) => {
            drop($pipe);
            let mut pipe = $pipe;
            assert_eq!(pipe.next().map(|batch: Vec<usize>| batch.len()), Some(4), "{}", $mode);
            drop(pipe);
        };
    }
    in_every_mode!(check: numbers(10), batchsize = 4, sampler = sampler::shuffle(1));
    // other tests have theirs for a while, and a thread that was joined may stand there for a moment longer
    wait_until(|| workers().is_none_or(|workers| workers == 0));
}
