//! A loader knows its length where the sampler knows its own.
use crate::numbers;
use tinypl::dataloader::{self, EpochEnd, sampler};
use tinypl::pipeline;
use tinypl_tests::tidy;

/// The hint of a loader, before each of its batches and at the end, must be exact.
macro_rules! assert_exact {
    ($pipe:expr, $what:expr) => {
        let mut pipe = $pipe;
        let hint = pipe.size_hint();
        let mut left = hint.0;
        loop {
            assert_eq!(pipe.size_hint(), (left, Some(left)), "{} of {hint:?}", $what);
            if pipe.next().is_none() {
                break;
            }
            left -= 1;
        }
        assert_eq!(left, 0, "{}", $what);
    };
}

#[test]
fn it_is_exact_for_epochs_that_end() {
    for len in [0, 1, 3, 4, 10, 12] {
        for epochs in [0, 1, 3] {
            for end in [EpochEnd::Ignore, EpochEnd::KeepLast, EpochEnd::DropLast] {
                for of in [1, 2] {
                    let sampler = sampler::shuffle(1).epochs(epochs).shard(of - 1, of);
                    let pipe = pipeline! {
                        dataloader::load(dataloader::from_fn(len, |i| i), 4, sampler = sampler, epoch_end = (end))
                    };
                    assert_exact!(pipe, format!("{len}, {epochs}, {end:?}, {of}"));
                }
            }
        }
    }
}

#[test]
fn it_is_exact_in_every_mode() {
    let _tidy = tidy(300);
    macro_rules! check {
        ($mode:expr, $pipe:expr) => {
            assert_exact!($pipe, $mode);
        };
    }
    in_every_mode!(check: numbers(10), 4, sampler = sampler::shuffle(1).epochs(2), epoch_end = keep_last);
}

#[test]
fn stages_below_know_it() {
    let load = || pipeline! { dataloader::load([1, 2, 3], 2, sampler = sampler::sequential().epochs(2)) };
    assert_eq!(pipeline! { load() |> map(|batch| batch.len()) |> enumerate() }.size_hint(), (3, Some(3)));
    assert_eq!(pipeline! { load() |> take(2) }.size_hint(), (2, Some(2)));
    assert_eq!(load().by_ref().size_hint(), (3, Some(3)));
}

#[test]
fn endless_epochs_have_no_end() {
    assert_eq!(pipeline! { dataloader::load([1, 2, 3], 2) }.size_hint(), (usize::MAX, None));
    let some = pipeline! { dataloader::load([1, 2, 3], 2) |> take(5) };
    assert_eq!(some.size_hint(), (5, Some(5)));
    assert_eq!(some.count(), 5);
}

#[test]
fn any_other_sampler_promises_nothing() {
    let pipe = pipeline! { dataloader::load([1, 2, 3], 2, sampler = vec![vec![0, 1, 2]; 2]) };
    assert_eq!(pipe.size_hint().0, 0);
    assert_eq!(pipe.count(), 3);
}

#[test]
fn what_a_death_may_leave_out_is_not_promised() {
    let _tidy = tidy(300);
    let sampler = sampler::sequential().epochs(1);
    let pipe = pipeline! { dataloader::load(vec![1, 2, 3], 2, sampler = sampler, map = process(1, on_death = skip)) };
    assert_eq!(pipe.size_hint(), (0, Some(2)));
}

#[test]
fn numbers_that_are_too_large_are_unknown() {
    let pipe = pipeline! {
        dataloader::load(dataloader::from_fn(usize::MAX, |i| i), 1, sampler = sampler::sequential().epochs(3))
        |> take(2)
    };
    assert_eq!(pipe.collect::<Vec<_>>(), [[0], [1]]);
}
