//! What the contestants compute for an item, and how their results are checked.

use std::hint::black_box;
use std::time::Instant;

/// Work of about no time: too much to be summed up in closed form, too little to measure.
#[inline]
#[must_use]
pub fn mix(x: u64) -> u64 {
    (x ^ (x >> 7)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// `steps` steps of work on `x`.
///
/// Eight chains side by side keep the multiplier busy all the time. With one, a processor would
/// overlap the end of an item with the start of the next wherever the loop around it is short
/// enough to look ahead, and a contestant would gain by having less to do between two items.
#[inline(never)]
#[must_use]
pub fn spin(steps: u64, x: u64) -> u64 {
    let x = black_box(x);
    let mut lanes: [u64; 8] = [0, 1, 2, 3, 4, 5, 6, 7].map(|lane: u64| x.wrapping_add(lane));
    for _ in 0..steps {
        for lane in &mut lanes {
            *lane = mix(*lane);
        }
    }
    lanes.into_iter().fold(0, |all, lane| all ^ lane)
}

/// How many steps of [`spin`] take a microsecond here, when nothing else runs.
#[must_use]
pub fn steps_per_microsecond() -> f64 {
    const STEPS: u64 = 1_000_000;
    let time = |_| {
        let start = Instant::now();
        black_box(spin(STEPS, 1));
        start.elapsed().as_secs_f64()
    };
    let best = (0..7).map(time).fold(f64::INFINITY, f64::min);
    STEPS as f64 / (best * 1e6)
}

/// Takes `x` up into a sum: the same in whatever order the items come.
#[inline]
#[must_use]
pub fn sum(so_far: u64, x: u64) -> u64 {
    so_far.wrapping_add(x)
}

/// Takes `x` up into a hash that changes with the order of the items.
#[inline]
#[must_use]
pub fn hash(so_far: u64, x: u64) -> u64 {
    so_far.wrapping_mul(31).wrapping_add(x)
}
