//! Large arrays without shared memory: filled by threads, copied by `memcpy`.

use crate::jobs::Look;
use crate::work::sum;
use crossbeam_channel::{Receiver, Sender, bounded};
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// Arrays that go round: what they lie in is mapped before a run.
#[derive(Debug)]
pub struct Arrays {
    empty: Receiver<Vec<f32>>,
    back: Sender<Vec<f32>>,
}

impl Arrays {
    /// So many arrays of `len` elements.
    #[must_use]
    pub fn new(count: usize, len: usize) -> Self {
        let (back, empty) = bounded(count);
        // Not zeros, which the kernel would give when they are first touched.
        (0..count).for_each(|_| back.send(vec![1.0; len]).expect("it has room"));
        Self { empty, back }
    }
}

/// Two threads fill arrays; this one reads them, and gives them back.
#[inline(never)]
pub fn threads(n: u64, arrays: &Arrays, look: Look) -> u64 {
    let (tx, rx) = bounded(1);
    let next = &AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..2 {
            let tx = tx.clone();
            scope.spawn(move || {
                loop {
                    let x = next.fetch_add(1, Ordering::Relaxed);
                    if x >= n {
                        break;
                    }
                    let mut array = arrays.empty.recv().expect("it comes back");
                    array.fill(x as f32);
                    tx.send(array).expect("the receiver lives");
                }
            });
        }
        drop(tx);
        let mut digest = 0;
        for array in rx {
            digest = sum(digest, (look.digest)(&array));
            arrays.back.send(array).expect("it has room");
        }
        digest
    })
}

/// Copies `data` into memory that is mapped already; `n` times.
#[inline(never)]
pub fn memcpy(n: u64, memory: &mut [u8], data: &[u8]) -> u64 {
    let mut digest = 0;
    for _ in 0..n {
        black_box(&mut *memory).copy_from_slice(data);
        let bytes = black_box(&*memory);
        digest = sum(digest, u64::from(bytes[bytes.len() / 2]));
    }
    digest
}
