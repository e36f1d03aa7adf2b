//! The memory of a [`Page`](super::page): atomic words, then atomic bytes. Under loom they are its own, so that it sees every
//! access.
/// How many words.
const WORDS: usize = 8;

#[cfg(not(loom))]
pub(crate) use shared::*;
#[cfg(not(loom))]
mod shared {
    use super::WORDS;
    use crate::shm::Region;
    // the system's, whatever else is being modelled: the other side is another process
    pub(crate) use std::sync::atomic::{AtomicU8, AtomicU64, fence};

    /// How many bytes.
    pub(crate) const BYTES: usize = 32 << 10;
    /// As large as a region has to be.
    pub(crate) const SIZE: usize = WORDS * size_of::<u64>() + BYTES;

    /// In memory that two processes map.
    #[derive(Debug)]
    pub(crate) struct Cells(Region);

    impl Cells {
        /// # Panics
        /// If the region is too small.
        pub(crate) fn new(region: Region) -> Self {
            assert!(region.len() >= SIZE, "a page is {SIZE} bytes");
            Self(region)
        }

        /// # Panics
        /// If there are not so many.
        pub(crate) fn word(&self, i: usize) -> &AtomicU64 {
            assert!(i < WORDS, "there are {WORDS} words");
            // SAFETY: within the mapping, as `new` and the line above made sure
            let word = unsafe { self.0.as_ptr().cast::<u64>().add(i) };
            // SAFETY: aligned, for a mapping begins with a page; mapped as long as `self` lives; and every process touches it
            // as an atomic only
            unsafe { AtomicU64::from_ptr(word) }
        }

        pub(crate) fn bytes(&self) -> &[AtomicU8] {
            // SAFETY: `new` made sure that the mapping reaches this far
            let start = unsafe { self.0.as_ptr().add(WORDS * size_of::<u64>()) };
            // SAFETY: mapped as long as `self` lives, and every process touches it as atomics only
            unsafe { std::slice::from_raw_parts(start.cast::<AtomicU8>(), BYTES) }
        }
    }
}

#[cfg(loom)]
pub(crate) use model::*;
#[cfg(loom)]
mod model {
    use super::WORDS;
    use crate::shm::Region;
    pub(crate) use loom::sync::atomic::{AtomicU8, AtomicU64, fence};

    pub(crate) const BYTES: usize = 3;
    pub(crate) const SIZE: usize = 1;

    #[derive(Debug)]
    pub(crate) struct Cells {
        words: [AtomicU64; WORDS],
        bytes: [AtomicU8; BYTES],
    }

    impl Cells {
        pub(crate) fn new(_: Region) -> Self {
            Self::default()
        }

        pub(crate) fn word(&self, i: usize) -> &AtomicU64 {
            &self.words[i]
        }

        pub(crate) fn bytes(&self) -> &[AtomicU8] {
            &self.bytes
        }
    }

    impl Default for Cells {
        fn default() -> Self {
            Self { words: std::array::from_fn(|_| AtomicU64::new(0)), bytes: std::array::from_fn(|_| AtomicU8::new(0)) }
        }
    }
}
