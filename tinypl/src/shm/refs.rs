//! What a user holds of what is stored: a reference to it, a guard while it is read, room while it is filled.
use super::error::ShmError;
use super::keeper;
use super::lease::{Lease, Reservation};
use super::store::{Load, kind};
use super::wire::{Name, Stamp};
use crate::crew::luggage;
use bytemuck::Pod;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::cell::RefCell;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// A reference to something in a [`SharedMemoryRingBuffer`](super::SharedMemoryRingBuffer): a few bytes that travel between
/// processes in its place.
///
/// In the process that made the buffer, and in the worker that stored the thing, it is a share in it: what is stored is
/// freed when the last reference to it, and the last guard, is dropped. A worker that is *given* a reference borrows: what
/// it names stays at least as long as the item that it came with is being worked at. A worker's reference in its result
/// goes over to the process that gets the result.
///
/// As part of a context it lasts as long as the stage.
///
/// It serialises; but as anything else than (part of) the item, the result or the context of a process stage it is no more
/// than a name.
/// Whoever decodes a name gets a reference to the same thing if it is still there, and else one that is stale: to
/// [`read`](super::SharedMemoryRingBuffer::read) it is an error, never another thing.
///
/// ```
/// use tinypl::process::{SharedMemoryRingBuffer, ShmRef};
///
/// let ring = SharedMemoryRingBuffer::new(1 << 20)?;
/// let one: ShmRef<[u32]> = ring.write(&[1, 2, 3][..])?;
/// let same = one.clone();
/// drop(one);
/// assert_eq!(ring.num_stored_items(), 1);
/// drop(same); // unread
/// assert_eq!(ring.num_stored_items(), 0);
/// # Ok::<(), tinypl::process::ShmError>(())
/// ```
pub struct ShmRef<T: ?Sized> {
    name: Name,
    /// `None`: borrowed, or stale.
    share: Option<Arc<Lease>>,
    to: PhantomData<fn() -> *const T>,
}

impl<T: ?Sized> ShmRef<T> {
    pub(crate) fn new(name: Name, lease: Lease) -> Self {
        Self { name, share: Some(Arc::new(lease)), to: PhantomData }
    }

    /// As a worker decodes it, for tests that play both sides.
    #[cfg(test)]
    pub(crate) fn borrowed(other: &Self) -> Self {
        Self { name: other.name, share: None, to: PhantomData }
    }

    pub(crate) fn into_parts(self) -> (Name, Option<Arc<Lease>>) {
        (self.name, self.share)
    }
}

impl<T: ?Sized> Clone for ShmRef<T> {
    fn clone(&self) -> Self {
        Self { name: self.name, share: self.share.clone(), to: PhantomData }
    }
}

impl<T: ?Sized> Serialize for ShmRef<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Some(share) = &self.share
            && !note_as_sent(share)
        {
            luggage::hold(share.clone());
        }
        self.name.serialize(serializer)
    }
}

impl<'de, T: ?Sized> Deserialize<'de> for ShmRef<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = Name::deserialize(deserializer)?;
        let share = keeper::find(name.ring).filter(|keeper| keeper.counts()).and_then(|keeper| {
            let grant = keeper.read(name).ok()?;
            Some(Arc::new(Lease::new(keeper, grant)))
        });
        Ok(Self { name, share, to: PhantomData })
    }
}

thread_local! {
    /// What the result that is being encoded takes along.
    static SENDING: RefCell<Option<Vec<Arc<Lease>>>> = const { RefCell::new(None) };
}

/// In a worker: runs `encode` for a result. If it succeeds, what its references name goes over to whom it is for.
///
/// # Errors
/// As `encode`; then nothing has gone.
pub(crate) fn sending<T, E>(encode: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    struct Reset;
    impl Drop for Reset {
        fn drop(&mut self) {
            SENDING.take();
        }
    }
    SENDING.replace(Some(Vec::new()));
    let reset = Reset;
    let result = encode();
    let sent = SENDING.take().unwrap_or_default();
    drop(reset);
    if result.is_ok() {
        sent.iter().for_each(|share| share.send());
    }
    result
}

/// Whether a result is being encoded that takes this along.
fn note_as_sent(share: &Arc<Lease>) -> bool {
    SENDING.with_borrow_mut(|sending| match sending {
        Some(sending) if !share.counts() => {
            sending.push(share.clone());
            true
        }
        _ => false,
    })
}

/// What is stored, to be read: it derefs to it. While it lives, nothing is written there.
///
/// Of `[T]` and `str` it shows the shared memory itself; other types it holds deserialised, and what was stored is free
/// already, if nobody else holds it.
///
/// [`SharedMemoryRingBuffer::read`](super::SharedMemoryRingBuffer::read) makes it.
pub struct ShmGuard<T: Load + ?Sized> {
    kept: T::Kept,
}

impl<T: Load + ?Sized> ShmGuard<T> {
    pub(crate) fn open(lease: Arc<Lease>, name: Name) -> Result<Self, ShmError> {
        let len = usize::try_from(name.stamp.len).map_err(|_| ShmError::corrupt("its length is beyond all memory"))?;
        Ok(Self { kept: T::open(lease, len)? })
    }

    #[cfg(feature = "ndarray")]
    pub(crate) fn kept(&self) -> &T::Kept {
        &self.kept
    }

    pub(crate) fn into_owned(self) -> T::Owned {
        T::owned(self.kept)
    }
}

impl<T: Load + ?Sized> Deref for ShmGuard<T> {
    type Target = T;

    fn deref(&self) -> &T {
        T::get(&self.kept)
    }
}

/// Room in shared memory for `[T]`, to be filled in place; [`commit`](Self::commit) stores it. Dropped, it is free again.
///
/// Until it is filled it holds what happens to lie there.
///
/// [`SharedMemoryRingBuffer::reserve`](super::SharedMemoryRingBuffer::reserve) makes it.
pub struct Reserved<T> {
    reservation: Reservation,
    len: usize,
    elements: PhantomData<T>,
}

impl<T: Pod> Reserved<T> {
    pub(crate) fn new(reservation: Reservation, len: usize) -> Self {
        Self { reservation, len, elements: PhantomData }
    }

    /// It is filled: from here on it can be read, and no longer be written.
    pub fn commit(self) -> ShmRef<[T]> {
        let stamp = Stamp { len: self.len as u64, kind: kind::<[T]>() };
        let (name, lease) = self.reservation.commit(stamp);
        ShmRef::new(name, lease)
    }
}

impl<T: Pod> Deref for Reserved<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        self.reservation.slice(self.len)
    }
}

impl<T: Pod> DerefMut for Reserved<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        self.reservation.slice_mut(self.len)
    }
}

impl<T: ?Sized> fmt::Debug for ShmRef<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Name { ring, key, stamp } = self.name;
        f.debug_struct("ShmRef")
            .field("ring", &ring)
            .field("key", &key)
            .field("len", &stamp.len)
            .finish_non_exhaustive()
    }
}

impl<T: Load + fmt::Debug + ?Sized> fmt::Debug for ShmGuard<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl<T> fmt::Debug for Reserved<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reserved").field("len", &self.len).finish_non_exhaustive()
    }
}
