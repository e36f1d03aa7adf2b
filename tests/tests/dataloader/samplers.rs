//! Which samples come, and in which order.
use std::collections::BTreeSet;
use tinypl::dataloader::{Sampler, sampler};
use tinypl::{dataloader, pipeline};

fn epochs<S: Sampler>(sampler: S, len: usize, n: usize) -> Vec<Vec<usize>> {
    sampler.over(len).take(n).map(|epoch| epoch.into_iter().collect()).collect()
}

fn sorted(mut v: Vec<usize>) -> Vec<usize> {
    v.sort_unstable();
    v
}

#[test]
fn sequential_is_the_datasets_own_order_for_ever() {
    assert_eq!(epochs(sampler::sequential(), 3, 4), [[0, 1, 2]; 4]);
    assert_eq!(epochs(sampler::sequential().epochs(2), 3, 9), [[0, 1, 2]; 2]);
    assert!(epochs(sampler::sequential().epochs(0), 3, 9).is_empty());
    assert_eq!(epochs(sampler::sequential().epochs(2), 0, 9), [[0_usize; 0]; 2]);
}

#[test]
fn shuffles_are_permutations_that_differ_between_epochs_and_seeds_and_repeat() {
    for len in [0, 1, 2, 3, 10, 1000] {
        let all: Vec<usize> = (0..len).collect();
        for epoch in epochs(sampler::shuffle(7).epochs(5), len, 9) {
            assert_eq!(sorted(epoch), all);
        }
    }
    let of = |seed| epochs(sampler::shuffle(seed), 100, 20);
    assert_eq!(of(7), of(7));
    let different: BTreeSet<Vec<usize>> = [of(7), of(8), of(u64::MAX)].concat().into_iter().collect();
    assert_eq!(different.len(), 60);
    assert!(!different.contains(&(0..100).collect::<Vec<_>>()), "one of 60 is not shuffled at all");
}

/// The same on every machine, and for ever: someone's results depend on it.
#[test]
fn these_are_the_shuffles_of_seed_42() {
    let expected: [[usize; 10]; 3] = GOLDEN;
    assert_eq!(epochs(sampler::shuffle(42).epochs(3), 10, 3), expected);
}

const GOLDEN: [[usize; 10]; 3] =
    [[4, 8, 7, 5, 1, 6, 0, 3, 9, 2], [2, 9, 0, 6, 8, 7, 5, 1, 4, 3], [7, 9, 5, 1, 0, 8, 6, 2, 3, 4]];

#[test]
fn each_place_is_equally_likely() {
    let mut counts = [[0_u32; 5]; 5];
    for epoch in epochs(sampler::shuffle(3), 5, 10_000) {
        for (place, index) in epoch.into_iter().enumerate() {
            counts[place][index] += 1;
        }
    }
    // the seed is fixed; 6 standard deviations are 240
    assert!(counts.as_flattened().iter().all(|count| count.abs_diff(2000) < 240), "{counts:?}");
}

#[test]
fn shards_are_disjoint_of_equal_length_and_complete_where_that_can_be() {
    for len in [0, 1, 5, 12, 100, 101] {
        for of in 1..=7 {
            let order = epochs(sampler::shuffle(1), len, 3);
            let shards: Vec<_> = (0..of).map(|rank| epochs(sampler::shuffle(1).shard(rank, of), len, 3)).collect();
            for epoch in 0..3 {
                let all: Vec<usize> = shards.iter().flat_map(|shard| shard[epoch].clone()).collect();
                assert!(shards.iter().all(|shard| shard[epoch].len() == len / of), "{len} of {of}");
                // of the epoch's order all but what is left over at its end
                let expected = order[epoch][..len - len % of].to_vec();
                assert_eq!(sorted(all), sorted(expected), "{len} of {of}");
            }
        }
    }
}

#[test]
fn a_sequential_shard_has_every_nth_sample() {
    assert_eq!(epochs(sampler::sequential().epochs(1).shard(0, 3), 10, 2), [[0, 3, 6]]);
    assert_eq!(epochs(sampler::sequential().shard(2, 3).epochs(1), 10, 2), [[2, 5, 8]]);
    assert_eq!(epochs(sampler::sequential().epochs(1).shard(0, 1), 3, 2), [[0, 1, 2]]);
}

#[test]
fn what_all_trainers_see_at_a_step_is_what_one_with_larger_batches_would() {
    let batches = |rank, of, n| -> Vec<Vec<usize>> {
        let shuffled = sampler::shuffle(5).epochs(1).shard(rank, of);
        pipeline! { dataloader::load(dataloader::from_fn(24, |i| i), n, sampler = shuffled) |> collect() }
    };
    let together: Vec<Vec<usize>> =
        batches(0, 2, 4).into_iter().zip(batches(1, 2, 4)).map(|(a, b)| sorted([a, b].concat())).collect();
    let alone: Vec<Vec<usize>> = batches(0, 1, 8).into_iter().map(sorted).collect();
    assert_eq!(together, alone);
}

#[test]
#[should_panic(expected = "of 2 trainers the last is 1, not 2")]
fn a_rank_counts_from_0() {
    let _ = sampler::shuffle(1).shard(2, 2);
}

#[test]
#[should_panic(expected = "`of` of `shard` must be at least 1")]
fn a_shard_of_none() {
    let _ = sampler::sequential().shard(0, 0);
}

#[test]
fn iterables_of_iterables_are_samplers() {
    let batches = |epochs: Vec<Vec<usize>>| -> Vec<Vec<usize>> {
        pipeline! {
            dataloader::load(dataloader::from_fn(10, |i| 10 * i), 2, sampler = epochs, epoch_end = keep_last) |> collect()
        }
    };
    assert_eq!(batches(vec![vec![3, 1, 1], vec![], vec![9]]), [vec![30, 10], vec![10], vec![90]]);
    assert!(batches(vec![]).is_empty());
    let backwards = std::iter::repeat_with(|| (0..3).rev()).take(2);
    let batches: Vec<Vec<char>> =
        pipeline! { dataloader::load(['a', 'b', 'c'], 3, sampler = (backwards)) |> collect() };
    assert_eq!(batches, [['c', 'b', 'a']; 2]);
}

#[test]
fn a_variable_and_a_function_called_like_the_module_are_reached_by_parentheses() {
    mod own {
        pub(super) mod sampler {
            pub(in super::super) fn twice() -> [[usize; 1]; 2] {
                [[0], [0]]
            }
        }
    }
    use own::sampler as mine;
    let count = pipeline! { dataloader::load([1], 1, sampler = (mine::twice())) |> count() };
    assert_eq!(count, 2);
    let sampler = [[0], [0], [0]];
    assert_eq!(pipeline! { dataloader::load([1], 1, sampler = sampler) |> count() }, 3);
}

#[test]
fn an_endless_sampler_is_asked_for_no_more_than_is_needed() {
    let mut asked = 0;
    let batches: Vec<Vec<i32>> = pipeline! {
        dataloader::load([1, 2], 2, sampler = (std::iter::repeat_with(|| { asked += 1; [1, 0] }))) |> take(3) |> collect()
    };
    assert_eq!((batches.len(), asked), (3, 3));
}
