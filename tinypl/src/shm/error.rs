//! What goes wrong with shared memory. The errors travel between processes as the references do: a worker's function may
//! give back what `write` gave it.
use serde::{Deserialize, Serialize};
use std::fmt;

/// Why something could not be stored in a [`SharedMemoryRingBuffer`](super::SharedMemoryRingBuffer), or not be read.
///
/// Sizes are in bytes. It serialises, so that a worker's function may return a `Result` of it.
///
/// ```
/// use tinypl::process::{SharedMemoryRingBuffer, ShmError};
///
/// let ring = SharedMemoryRingBuffer::new(1 << 16)?;
/// let error = ring.write(&[0_u8; 100_000][..]).unwrap_err();
/// assert_eq!(error, ShmError::TooLarge { needed: 100_000, capacity: 1 << 16 });
/// assert_eq!(error.to_string(), "97.7 KiB can't be stored in shared memory of 64.0 KiB");
/// # Ok::<(), ShmError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[non_exhaustive]
pub enum ShmError {
    /// The system has less shared memory to give than asked for. Nothing was made.
    #[error(
        "can't reserve {} of shared memory: /dev/shm has {} free of {} (for a container, docker's `--shm-size` sets it)",
        Bytes(*.needed), Bytes(*.free), Bytes(*.total)
    )]
    NoSpace {
        /// What was asked for.
        needed: usize,
        /// What is free there.
        free: usize,
        /// What there is in all.
        total: usize,
    },
    /// The system refused to make shared memory for another reason.
    #[error("can't make shared memory of {}: {cause}", Bytes(*.needed))]
    Create {
        /// What was asked for.
        needed: usize,
        /// What the system said.
        cause: String,
    },
    /// It would not fit if the buffer were empty.
    #[error("{} can't be stored in shared memory of {}", Bytes(*.needed), Bytes(*.capacity))]
    TooLarge {
        /// What was asked for.
        needed: usize,
        /// All that there is.
        capacity: usize,
    },
    /// There is no gap that is large enough at this moment; only `try_write` and `try_reserve` say so, the others wait.
    #[error("no room for {} in shared memory now: {room}", Bytes(*.needed))]
    Full {
        /// What was asked for.
        needed: usize,
        /// What there is.
        room: Room,
    },
    /// There is no gap that is large enough, and nobody is left who could free one.
    #[error(
        "no room for {} in shared memory, and nobody who could make room: {room}; drop references and guards that are not \
         needed, or make the buffer larger", Bytes(*.needed)
    )]
    Deadlock {
        /// What was asked for.
        needed: usize,
        /// What there is.
        room: Room,
    },
    /// What the reference names was freed, or the reference was a copy that counts for nothing (made from bytes that were
    /// decoded before, or that did not travel as the item or the result of a process stage).
    #[error("a stale reference to shared memory: what it names has been freed, or belongs to another reference")]
    Stale,
    /// The reference fits nothing that was ever stored in this buffer.
    #[error("a reference that fits nothing in this shared memory: {0}")]
    Corrupt(String),
    /// A value that serde could not serialise into the buffer, or not deserialise from it.
    #[error("can't {verb} a `{type_name}` in shared memory: {cause}", verb = if *.writing { "serialise" } else { "deserialise" })]
    Codec {
        /// Whether it was being written.
        writing: bool,
        /// The value's type.
        type_name: String,
        /// What serde said.
        cause: String,
    },
    /// The wait for room ended because the pipeline that this thread, or this worker process, works for is being stopped.
    #[error("stopped waiting for room in shared memory: the pipeline that waits for this result is ending")]
    Stopped,
    /// The process that the buffer belongs to, or its end of this worker's connection, is gone.
    #[error("shared memory whose owner is gone: the process that made it has dropped this worker's connection to it")]
    Gone,
}

impl ShmError {
    pub(crate) fn corrupt(why: impl Into<String>) -> Self {
        Self::Corrupt(why.into())
    }
}

/// How full a buffer is, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Room {
    /// What is free, in all gaps together.
    pub free: usize,
    /// The largest gap.
    pub largest_gap: usize,
    /// How many things are stored, or being written.
    pub items: usize,
}

impl fmt::Display for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { free, largest_gap, items } = *self;
        let plural = if items == 1 { "" } else { "s" };
        write!(f, "{items} item{plural}, {} free, {} in one piece", Bytes(free), Bytes(largest_gap))
    }
}

/// A size that people read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bytes(pub(crate) usize);

impl fmt::Display for Bytes {
    #[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 1 {
            return f.write_str("1 byte");
        }
        let mut size = self.0 as f64;
        for unit in ["bytes", "KiB", "MiB", "GiB"] {
            if size < 1024.0 {
                let decimals = usize::from(unit != "bytes");
                return write!(f, "{size:.decimals$} {unit}");
            }
            size /= 1024.0;
        }
        write!(f, "{size:.1} TiB")
    }
}
