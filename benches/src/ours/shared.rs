//! Large arrays in shared memory.

use crate::jobs::Look;
use crate::race::Run;
use crate::usage;
use crate::work::sum;
use std::time::Instant;
use tinypl::pipeline;
use tinypl::process::{Backend, SharedMemoryRingBuffer, ShmError, ShmRef};

/// A buffer of so many bytes; where the system's shared memory is too small, one of anonymous memory.
///
/// # Panics
///
/// If there is not that much memory.
#[must_use]
pub fn ring(bytes: usize) -> SharedMemoryRingBuffer {
    let ring = SharedMemoryRingBuffer::new(bytes).or_else(|error| match error {
        ShmError::NoSpace { .. } => {
            println!("{error}; this run takes memfd instead\n");
            SharedMemoryRingBuffer::with_backend(bytes, Backend::Memfd)
        }
        error => Err(error),
    });
    ring.expect("memory for the ring")
}

/// Two workers fill arrays of `len` elements in the ring; this process reads them where they lie.
#[inline(never)]
pub fn arrays(n: u64, ring: &SharedMemoryRingBuffer, len: usize, look: Look) -> u64 {
    made(n, ring, len).fold(0, |digest, array| sum(digest, read(ring, array, look)))
}

/// The same, and the clock starts when the workers have gone round in the ring: before, each page is new to them, and the
/// kernel maps it when it is first touched. (The CPU time is that of the whole run.)
#[inline(never)]
pub fn arrays_mapped(n: u64, ring: &SharedMemoryRingBuffer, len: usize, look: Look) -> Run {
    let cpu = usage::cpu_seconds();
    let mut made = made(MAPPING + n, ring, len);
    let before = made.by_ref().take(MAPPING as usize).fold(0, |digest, array| sum(digest, read(ring, array, look)));
    let start = Instant::now();
    let digest = made.fold(before, |digest, array| sum(digest, read(ring, array, look)));
    Run { digest, seconds: start.elapsed().as_secs_f64(), cpu: usage::cpu_seconds() - cpu }
}

/// How many arrays [`arrays_mapped`] has made before.
pub const MAPPING: u64 = 32;

fn made(n: u64, ring: &SharedMemoryRingBuffer, len: usize) -> impl Iterator<Item = ShmRef<[f32]>> {
    pipeline! {
        range(n) |> process::map_with((ring.clone(), len), |(ring, len), x| {
            let mut room = ring.reserve::<f32>(*len).expect("room in the ring");
            room.fill(x as f32);
            room.commit()
        }, workers = 2, maxsize = 1)
    }
}

fn read(ring: &SharedMemoryRingBuffer, array: ShmRef<[f32]>, look: Look) -> u64 {
    (look.digest)(&ring.read(array).expect("it is stored"))
}

/// The same by two threads of this process, to which all is mapped: what the memory makes of the difference, not the
/// processes.
#[inline(never)]
pub fn arrays_from_threads(n: u64, ring: &SharedMemoryRingBuffer, len: usize, look: Look) -> u64 {
    let its = ring.clone();
    let fill = move |x: u64| {
        let mut room = its.reserve::<f32>(len).expect("room in the ring");
        room.fill(x as f32);
        room.commit()
    };
    let mut digest = 0;
    for array in pipeline! { range(n) |> thread::map(fill, workers = 2, maxsize = 1) } {
        digest = sum(digest, read(ring, array, look));
    }
    digest
}

/// Copies `data` into the ring; `n` times.
#[inline(never)]
pub fn write(n: u64, ring: &SharedMemoryRingBuffer, data: &[u8]) -> u64 {
    let mut digest = 0;
    for _ in 0..n {
        let reference = ring.write(data).expect("room in the ring");
        let bytes = ring.read(reference).expect("it is stored");
        digest = sum(digest, u64::from(bytes[bytes.len() / 2]));
    }
    digest
}
