//! The same random numbers on every run, and how many rounds of them.
use std::time::{Duration, Instant};

/// SplitMix64.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The same seed gives the same numbers.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0) % n
    }

    /// A number from `1` to `n`, for sizes.
    pub fn size(&mut self, n: u64) -> usize {
        1 + self.below(n) as usize
    }

    /// One of these.
    pub fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }
}

fn mix(x: u64) -> u64 {
    let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// `n` random rounds, times the environment variable `ROUNDS`.
pub fn rounds(n: u64) -> u64 {
    std::env::var("ROUNDS").map_or(n, |times| n * times.parse::<u64>().expect("`ROUNDS` is a whole number"))
}

/// Uses the processor for as long.
pub fn work(micros: u64) {
    let (began, limit) = (Instant::now(), Duration::from_micros(micros));
    while began.elapsed() < limit {
        std::hint::spin_loop();
    }
}

/// What item `x` costs, in microseconds: mostly nothing, at times a little, rarely much. So chunks grow, and then hurt.
pub fn uneven(x: u64) -> u64 {
    match mix(x) % 1000 {
        0..3 => 300,
        3..50 => 10,
        _ => 0,
    }
}
