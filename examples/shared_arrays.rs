//! Makes large arrays in worker processes and reduces them here, through shared memory.
//!
//! ```text
//! cargo run --release --example shared_arrays -- [ARRAYS] [MEGABYTES]
//! ```
//!
//! Two workers make 10 arrays of 200 MB (or as many and as large as you say) in a ring buffer that has room for three. What
//! travels through the pipeline is a reference of a few bytes: nothing is copied, neither by the workers, which fill the
//! arrays in place, nor here, where they are read in place. When the guard of an array is dropped its room is free for the next.
//! No more than two are under way, besides the one that is read: an order's window may not be larger than what the ring has room
//! for, or those that came early would take the room of the one that is waited for.

use std::{env, error::Error, time::Instant};
use tinypl::{
    pipeline,
    process::{Backend, SharedMemoryRingBuffer, ShmError},
};

const WORKERS: usize = 2;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let arrays: usize = arguments.next().map_or(Ok(10), |n| n.parse())?;
    let megabytes: usize = arguments.next().map_or(Ok(200), |n| n.parse())?;
    let numbers = megabytes * 1_000_000 / size_of::<f64>();

    let ring = ring((WORKERS + 1) * (megabytes * 1_000_000).next_multiple_of(1 << 21))?;
    let start = Instant::now();
    let mut means = pipeline! {
        range(arrays)
        |> map(move |i| (i, numbers))
        |> o @ order::save(WORKERS)
        |> process::map_with(ring.clone(), |ring, (i, numbers)| {
            let mut array = ring.reserve::<f64>(numbers).expect("the ring has room for one array");
            fill(&mut array, i as u64);
            array.commit()
        }, workers = WORKERS)
        |> order::load(o)
        |> map(|array| {
            let array = ring.read(array).expect("nobody else frees it");
            array.iter().sum::<f64>() / array.len() as f64
        })
        |> enumerate()
    };
    for (i, mean) in means.by_ref() {
        println!("array {i}: the mean of {numbers} random numbers is {mean:.6}");
        assert!((mean - 0.5).abs() < 0.01 || numbers < 100_000, "they are not evenly spread");
    }
    let seconds = start.elapsed().as_secs_f64();
    println!("{} MB in {seconds:.2} s, {:.0} MB/s", arrays * megabytes, (arrays * megabytes) as f64 / seconds);
    drop(means);
    assert_eq!(ring.num_stored_items(), 0, "all of it is free again");
    Ok(())
}

/// The ring buffer, in POSIX shared memory; in a file without a name where that is too small, as in many containers.
fn ring(bytes: usize) -> Result<SharedMemoryRingBuffer, ShmError> {
    SharedMemoryRingBuffer::new(bytes).or_else(|error| {
        eprintln!("{error}; going on with a memfd");
        SharedMemoryRingBuffer::with_backend(bytes, Backend::Memfd)
    })
}

/// Numbers from 0 to 1, by xorshift64* (G. Marsaglia 2003, S. Vigna 2016).
fn fill(array: &mut [f64], seed: u64) {
    let mut state = 0x9e37_79b9_7f4a_7c15 ^ (seed + 1);
    for x in array {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        *x = (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as f64 / (1_u64 << 53) as f64;
    }
}
