//! A program with one thread: it can't wait for itself to make room in shared memory. `tests/shm.rs` runs it.
use tinypl::process::{SharedMemoryRingBuffer, ShmError};

fn main() -> Result<(), ShmError> {
    let ring = SharedMemoryRingBuffer::new(8 << 12)?;
    let held = ring.write(&[0_u8; 5 << 12][..])?;
    let error = ring.write(&[0_u8; 4 << 12][..]).unwrap_err();
    assert!(matches!(error, ShmError::Deadlock { .. }));
    println!("{error}");
    drop(held);
    ring.write(&[0_u8; 8 << 12][..]).map(drop)
}
