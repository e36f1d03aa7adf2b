//! Rights to a part of the shared memory, and the only places that touch it. The books guarantee who has which:
//! a [`Reservation`] is the only right to its extent, in all processes, until it becomes a [`Lease`]; from then on there
//! are leases alone, and leases only read; an extent is given out anew when the last right to it is gone.
use super::extents::PAGE;
use super::keeper::Keeper;
use super::wire::{Grant, Name, Stamp};
use bytemuck::Pod;
use std::fmt;
use std::ptr::NonNull;
use std::slice;
use std::str::{self, Utf8Error};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// The right to fill an extent.
pub struct Reservation(Claim);

/// The right to read what was written into an extent.
pub struct Lease(Claim);

/// What the books have noted, until it is dropped.
struct Claim {
    keeper: Arc<dyn Keeper>,
    grant: Grant,
    /// Whether it was got by reading, in a worker; else by making it, or it is counted where the books are.
    read: bool,
    /// Whether it is somebody else's by now.
    sent: AtomicBool,
}

impl Claim {
    /// # Panics
    /// If the books tell of what is not there.
    fn new(keeper: Arc<dyn Keeper>, grant: Grant, read: bool) -> Self {
        let end = grant.at.checked_add(grant.bytes);
        let inside = grant.at.is_multiple_of(PAGE) && end.is_some_and(|end| end <= keeper.region().len());
        assert!(inside, "an extent outside of the shared memory: {grant:?}");
        Self { keeper, grant, read, sent: AtomicBool::new(false) }
    }

    /// Before it is touched.
    fn populate(&self) {
        self.keeper.region().populate(self.grant.at, self.grant.bytes);
    }

    /// Where `len` elements begin.
    ///
    /// # Panics
    /// If they are more than there is room for.
    fn start<T: Pod>(&self, len: usize) -> NonNull<T> {
        const { assert!(align_of::<T>() <= PAGE, "shared memory aligns to 4096 bytes, not more") }
        let bytes = size_of::<T>().checked_mul(len);
        assert!(bytes.is_some_and(|bytes| bytes <= self.grant.bytes), "{len} elements in {} bytes", self.grant.bytes);
        let start = self.keeper.region().as_ptr().wrapping_add(self.grant.at);
        NonNull::new(start.cast()).expect("nothing is mapped at 0")
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if *self.sent.get_mut() {
            return;
        }
        if self.read {
            self.keeper.unread(self.grant.key);
        } else {
            self.keeper.release(self.grant.key);
        }
    }
}

impl Reservation {
    /// What the keeper has just given out.
    pub(crate) fn new(keeper: Arc<dyn Keeper>, grant: Grant) -> Self {
        let claim = Claim::new(keeper, grant, false);
        claim.populate();
        Self(claim)
    }

    /// # Panics
    /// If `len` elements are more than was reserved.
    pub(crate) fn slice<T: Pod>(&self, len: usize) -> &[T] {
        let start = self.0.start(len);
        // SAFETY: within the mapping, which lives as long as `self`, and aligned (`start`, `new`); it is ours alone, says the
        // broker, and who writes has `&mut self`; any bytes are a `T`
        unsafe { slice::from_raw_parts(start.as_ptr(), len) }
    }

    /// # Panics
    /// If `len` elements are more than was reserved.
    pub(crate) fn slice_mut<T: Pod>(&mut self, len: usize) -> &mut [T] {
        let start = self.0.start(len);
        // SAFETY: within the mapping, which lives as long as `self`, and aligned (`start`, `new`); no other process and no other
        // right in this one reaches the extent before `commit`, says the broker; any bytes are a `T`, a `T` has no padding
        unsafe { slice::from_raw_parts_mut(start.as_ptr(), len) }
    }

    /// It is filled: from here on it is read only.
    pub(crate) fn commit(self, stamp: Stamp) -> (Name, Lease) {
        let Self(claim) = self;
        claim.keeper.commit(claim.grant.key, stamp);
        (Name { ring: claim.keeper.ring(), key: claim.grant.key, stamp }, Lease(claim))
    }
}

impl Lease {
    /// What the keeper has just granted by [`read`](Keeper::read).
    pub(crate) fn new(keeper: Arc<dyn Keeper>, grant: Grant) -> Self {
        let read = !keeper.counts();
        Self(Claim::new(keeper, grant, read))
    }

    /// By which the books of this buffer know it, if it is one of theirs.
    pub(crate) fn key_in(&self, ring: u64) -> Option<u64> {
        (self.0.keeper.ring() == ring && self.counts()).then_some(self.0.grant.key)
    }

    /// It is going to be read here.
    pub(crate) fn populate(&self) {
        self.0.populate();
    }

    pub(crate) fn len(&self) -> usize {
        self.0.grant.bytes
    }

    /// # Panics
    /// If `len` elements are more than was written.
    pub(crate) fn slice<T: Pod>(&self, len: usize) -> &[T] {
        let start = self.0.start(len);
        // SAFETY: within the mapping, which lives as long as `self`, and aligned (`start`, `new`); nobody writes what was
        // committed and is still leased, says the broker; any bytes are a `T`
        unsafe { slice::from_raw_parts(start.as_ptr(), len) }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.slice(self.len())
    }

    /// Whether the books count it where they are, as they do all that is held there.
    pub(crate) fn counts(&self) -> bool {
        self.0.keeper.counts()
    }

    /// In a worker: it is on its way to where the books are, and theirs to count. What is left of it here is borrowed.
    pub(crate) fn send(&self) {
        if !self.0.sent.swap(true, Relaxed) {
            self.0.keeper.sent();
        }
    }
}

/// Text in place.
pub struct Text(Arc<Lease>);

impl Text {
    /// # Errors
    /// If it isn't UTF-8.
    pub(crate) fn new(lease: Arc<Lease>) -> Result<Self, Utf8Error> {
        str::from_utf8(lease.bytes())?;
        Ok(Self(lease))
    }

    pub(crate) fn as_str(&self) -> &str {
        // SAFETY: `new` has looked, and what is leased doesn't change
        unsafe { str::from_utf8_unchecked(self.0.bytes()) }
    }
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claim").field("grant", &self.grant).field("sent", &self.sent).finish_non_exhaustive()
    }
}

impl fmt::Debug for Reservation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Reservation").field(&self.0.grant).finish()
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lease").field(&self.0.grant).finish()
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}
