//! Serial chains beside `std` iterators: `map |> filter`, by `for` loop and by `fold`.
#![forbid(unsafe_code)]

use tinypl::pipeline;
use tinypl_benches::options::Options;
use tinypl_benches::race::{Race, Role, Target};
use tinypl_benches::work::{mix, sum};

/// Every other item, in a pattern that a processor foresees: on a random one, the time is that of
/// mispredicted branches, or not, as the compiler happens to choose a branch or a conditional move.
fn keeps(x: u64) -> bool {
    x & 1 == 0
}

#[inline(never)]
fn std_range_for(n: u64) -> u64 {
    let mut digest = 0;
    for x in (0..n).map(mix).filter(|&x| keeps(x)) {
        digest = sum(digest, x);
    }
    digest
}

#[inline(never)]
fn our_range_for(n: u64) -> u64 {
    let mut digest = 0;
    for x in pipeline! { range(n) |> map(mix) |> filter(|&x| keeps(x)) } {
        digest = sum(digest, x);
    }
    digest
}

#[inline(never)]
fn std_range_fold(n: u64) -> u64 {
    (0..n).map(mix).filter(|&x| keeps(x)).fold(0, sum)
}

#[inline(never)]
fn our_range_fold(n: u64) -> u64 {
    pipeline! { range(n) |> map(mix) |> filter(|&x| keeps(x)) |> fold(0, sum) }
}

#[inline(never)]
fn std_slice_for(data: &[u64]) -> u64 {
    let mut digest = 0;
    for x in data.iter().map(|&x| mix(x)).filter(|&x| keeps(x)) {
        digest = sum(digest, x);
    }
    digest
}

#[inline(never)]
fn our_slice_for(data: &[u64]) -> u64 {
    let mut digest = 0;
    for x in pipeline! { data |> map(|&x| mix(x)) |> filter(|&x| keeps(x)) } {
        digest = sum(digest, x);
    }
    digest
}

#[inline(never)]
fn std_slice_fold(data: &[u64]) -> u64 {
    data.iter().map(|&x| mix(x)).filter(|&x| keeps(x)).fold(0, sum)
}

#[inline(never)]
fn our_slice_fold(data: &[u64]) -> u64 {
    pipeline! { data |> map(|&x| mix(x)) |> filter(|&x| keeps(x)) |> fold(0, sum) }
}

fn main() {
    let options = Options::start();
    let expected = |n: u64| (0..n).map(mix).filter(|&x| keeps(x)).fold(0, sum);
    let target = Target::AtMost(1.05, "std");
    Race::new("serial: a range, map and filter, `for` loop")
        .add(Role::Ours, "tinypl", expected, our_range_for)
        .add(Role::Peer, "std", expected, std_range_for)
        .target(target)
        .run(&options);
    Race::new("serial: a range, map and filter, `fold`")
        .add(Role::Ours, "tinypl", expected, our_range_fold)
        .add(Role::Peer, "std", expected, std_range_fold)
        .target(target)
        .run(&options);

    // Read again and again: it stays in the cache, so that the chain is what is measured.
    let data: Vec<u64> = (0..4096).collect();
    let whole = |n: u64, one: fn(&[u64]) -> u64| {
        (0..n / 4096)
            .fold(0, |digest, _| sum(digest, one(std::hint::black_box(&data))))
            .wrapping_add(one(&data[..(n % 4096) as usize]))
    };
    let expected = |n: u64| whole(n, |data| data.iter().map(|&x| mix(x)).filter(|&x| keeps(x)).fold(0, sum));
    Race::new("serial: a slice, map and filter, `for` loop")
        .add(Role::Ours, "tinypl", expected, |n| whole(n, our_slice_for))
        .add(Role::Peer, "std", expected, |n| whole(n, std_slice_for))
        .target(target)
        .run(&options);
    Race::new("serial: a slice, map and filter, `fold`")
        .add(Role::Ours, "tinypl", expected, |n| whole(n, our_slice_fold))
        .add(Role::Peer, "std", expected, |n| whole(n, std_slice_fold))
        .target(target)
        .run(&options);
}
