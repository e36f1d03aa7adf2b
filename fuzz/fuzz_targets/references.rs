//! Bytes that claim to be a reference into shared memory: what they give is the item that they name, or an error.
#![no_main]

use std::sync::LazyLock;
use tinypl::process::{SharedMemoryRingBuffer, ShmRef};

/// A buffer with one item in it, and a name of that item.
static RING: LazyLock<(SharedMemoryRingBuffer, ShmRef<[u8]>)> = LazyLock::new(|| {
    let ring = SharedMemoryRingBuffer::new(1 << 20).expect("memory");
    let item = ring.write(&[7_u8; 5000][..]).expect("it fits");
    (ring, item)
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let (ring, item) = &*RING;
    // what differs from a good name in a few bytes is likelier to get far
    let mut name = postcard::to_stdvec(item).expect("a reference can be encoded");
    for change in bytes.chunks_exact(2) {
        let place = usize::from(change[0]) % name.len();
        name[place] ^= change[1];
    }
    for name in [&name[..], bytes] {
        if let Ok(reference) = postcard::from_bytes::<ShmRef<[u8]>>(name)
            && let Ok(found) = ring.read(reference)
        {
            assert_eq!(*found, [7; 5000], "another item's bytes");
        }
        if let Ok(reference) = postcard::from_bytes::<ShmRef<[u64]>>(name) {
            assert!(ring.read(reference).is_err(), "it is of another type");
        }
    }
    assert_eq!(ring.num_stored_items(), 1);
});
