//! The same seed: the same batches and the same augmentations, whoever loads, and with however many workers.
use tinypl::dataloader::rand::{Rng, RngExt};
use tinypl::dataloader::{self, Position, sampler};
use tinypl::pipeline;
use tinypl_tests::tidy;

/// What two epochs of 7 samples in batches of 3 are, augmented with seed 9 and shuffled with seed 42: from the words of the
/// generator alone, so that no version of `rand` changes it.
const GOLDEN: &[&[u64]] =
    &[&[5218, 4049, 3328], &[371, 2577, 6006], &[1499, 6729, 1455], &[4897, 5402, 705], &[3326, 2723]];

macro_rules! augmented {
    () => {
        dataloader::augment(dataloader::from_fn(7, |i| 1000 * i as u64), 9, |x, rng| x + rng.next_u64() % 1000)
    };
}

#[test]
fn batches_and_augmentations_are_the_same_in_every_mode() {
    let _tidy = tidy(300);
    macro_rules! check {
        ($mode:expr, $pipe:expr) => {
            let batches: Vec<Vec<u64>> = $pipe.collect();
            assert_eq!(batches, GOLDEN, "{}", $mode);
        };
    }
    in_every_mode!(check: augmented!(), 3, sampler = sampler::shuffle(42).epochs(2));
}

#[test]
fn they_are_the_same_for_any_number_of_workers() {
    let _tidy = tidy(300);
    for n in [1, 2, 5, 16] {
        let load = || dataloader::load(augmented!()).batchsize(3).sampler(sampler::shuffle(42).epochs(2));
        let threads = load().map(dataloader::thread().workers(n)).collate_map(dataloader::thread().workers(n)).build();
        assert_eq!(tinypl::Pipeline::new(threads).collect::<Vec<_>>(), GOLDEN, "{n} threads");
    }
    for n in [1, 4] {
        let batches = pipeline! {
            dataloader::load(augmented!(), 3, sampler = sampler::shuffle(42).epochs(2), map = process(workers = n))
        };
        assert_eq!(batches.collect::<Vec<_>>(), GOLDEN, "{n} processes");
    }
}

#[test]
fn a_stage_below_draws_the_same_numbers_for_the_same_sample() {
    let _tidy = tidy(300);
    macro_rules! check {
        ($mode:expr, $pipe:expr) => {
            let batches: Vec<Vec<u64>> = pipeline! {
                $pipe
                |> map(|batch| batch.into_iter().map(|(at, x): (Position, u64)| x + at.rng(9).next_u64() % 1000).collect())
                |> collect()
            };
            assert_eq!(batches, GOLDEN, "{}", $mode);
        };
    }
    let samples = dataloader::located(dataloader::from_fn(7, |i| 1000 * i as u64));
    in_every_mode!(check: samples, 3, sampler = sampler::shuffle(42).epochs(2));
}

#[test]
fn each_sample_and_each_epoch_has_numbers_of_its_own() {
    let first = |seed, epoch, index| dataloader::rng(seed, epoch, index).next_u64();
    let mut all = Vec::new();
    for seed in 0..3 {
        for epoch in 0..10 {
            all.extend((0..100).map(|index| first(seed, epoch, index)));
        }
    }
    assert_eq!(first(1, 2, 3), first(1, 2, 3));
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 3000);
}

/// The same on every machine, and for ever.
#[test]
fn these_are_the_words_of_a_generator() {
    let mut rng = dataloader::rng(42, 3, 17);
    assert_eq!([rng.next_u64(), rng.next_u64(), rng.next_u64()], WORDS);
    let mut rng = dataloader::rng(u64::MAX, u64::MAX, 0);
    assert_eq!(u64::from(rng.next_u32()), WORD);
    assert!((0..6).contains(&rng.random_range(0..6)));
}

const WORDS: [u64; 3] = [12_541_749_942_494_981_771, 14_574_605_357_015_464_605, 7_525_921_862_514_122_357];
const WORD: u64 = 1_260_308_632;
