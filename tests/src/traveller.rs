//! Something that counts its travels to worker processes.
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

static SENT: AtomicUsize = AtomicUsize::new(0);
/// Fresh in each worker.
static ARRIVED: AtomicUsize = AtomicUsize::new(0);

/// What it counts is of the whole process: one test of a program may use it.
#[derive(Debug)]
pub struct Traveller;

impl Traveller {
    /// How often one was encoded in this process.
    pub fn sent() -> usize {
        SENT.load(SeqCst)
    }

    /// How often one was decoded in this process.
    pub fn arrived() -> usize {
        ARRIVED.load(SeqCst)
    }
}

impl Serialize for Traveller {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        SENT.fetch_add(1, SeqCst);
        serializer.serialize_u8(7)
    }
}

impl<'de> Deserialize<'de> for Traveller {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        assert_eq!(u8::deserialize(deserializer)?, 7);
        ARRIVED.fetch_add(1, SeqCst);
        Ok(Self)
    }
}
