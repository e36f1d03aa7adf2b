//! Memory that processes share, as a user sees it.
use super::broker::Broker;
use super::client::Client;
use super::error::ShmError;
use super::extents::pages;
use super::keeper::{self, Keeper};
use super::lease::{Lease, Reservation};
use super::refs::{Reserved, ShmGuard, ShmRef};
use super::region::{Backend, Region};
use super::store::{Load, Store, kind};
use super::wire::Stamp;
use crate::crew::luggage;
use bytemuck::Pod;
use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

/// Memory for large things that go from process to process: they are written once, and read where they lie.
///
/// The buffer is a handle, cheap to clone. As (part of) the context of [`map_with`](crate::process::map_with) it goes to each worker, once; there
/// it can do what it can here. What [`write`](Self::write), or [`reserve`](Self::reserve) and
/// [`commit`](Reserved::commit), give is a [`ShmRef`], small enough to be an item or a result;
/// [`read`](Self::read) shows what it names, in whatever process, in any order.
///
/// ```
/// use tinypl::process::SharedMemoryRingBuffer;
///
/// let ring = SharedMemoryRingBuffer::new(16 << 20)?; // 16 MiB
///
/// let mut room = ring.reserve(1_000_000)?;
/// room.fill(0.5_f64);
/// let reference = room.commit();
///
/// let numbers = ring.read(reference)?;
/// assert_eq!(numbers.iter().sum::<f64>(), 500_000.0);
/// # Ok::<(), tinypl::process::ShmError>(())
/// ```
///
/// Worker processes make arrays in it, and this one reads them:
///
/// ```
/// use tinypl::pipeline;
/// use tinypl::process::{SharedMemoryRingBuffer, ShmError};
///
/// let ring = SharedMemoryRingBuffer::new(16 << 20)?;
/// let arrays = pipeline! {
///     range(4_u32) |> process::map_with(ring.clone(), |ring, x| ring.write(&vec![x; 1000][..]), workers = 2)
/// };
/// let mut sum = 0;
/// for array in arrays {
///     sum += ring.read(array?)?.iter().sum::<u32>();
/// }
/// assert_eq!(sum, 6000);
/// # Ok::<(), ShmError>(())
/// ```
///
/// Room is given out in pages of 4096 bytes, best fit, and comes back when the last reference to a thing and the last guard
/// is dropped, wherever they are and in whatever order: a thing that nobody reads holds up no other. When a worker
/// dies, what it held comes back.
///
/// Where there is no room, `write` and `reserve` wait for it; of those who wait and would fit, the first is served. Large enough is a buffer that holds all that is under way at
/// once: for each worker what it reads and what it writes, and the results that wait for their consumer (`maxsize`).
///
/// All memory is reserved when the buffer is made, and stays so until its last handle, reference and guard is dropped, in all
/// processes. Nothing of it is left in `/dev/shm`, however the processes end. (It has a name there for microseconds: if one is killed
/// meanwhile, a name without memory stays, until the next buffer is made.)
///
/// A process stage within a worker can't be given the worker's buffer; one that the worker has made it can.
#[derive(Clone)]
pub struct SharedMemoryRingBuffer {
    keeper: Arc<dyn Keeper>,
}

impl SharedMemoryRingBuffer {
    /// A buffer of so many bytes (rounded up to pages of 4096) in POSIX shared memory.
    ///
    /// # Errors
    /// When the system has less ([`NoSpace`](ShmError::NoSpace)), or refuses ([`Create`](ShmError::Create)).
    pub fn new(bytes: usize) -> Result<Self, ShmError> {
        Self::with_backend(bytes, Backend::default())
    }

    /// A buffer whose memory comes from `backend`.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_backend(bytes: usize, backend: Backend) -> Result<Self, ShmError> {
        let refused = |cause: &str| ShmError::Create { needed: bytes, cause: cause.to_owned() };
        let len = pages(bytes).ok_or_else(|| refused("no memory is that large"))?;
        if len == 0 {
            return Err(refused("it would hold nothing"));
        }
        Ok(Self::kept_by(Arc::new(Broker::new(Region::create(len, backend)?))))
    }

    fn kept_by(keeper: Arc<dyn Keeper>) -> Self {
        keeper::register(&keeper);
        Self { keeper }
    }

    /// Another one of the same number, for tests that play both sides.
    #[cfg(test)]
    pub(crate) fn unregistered(keeper: Arc<dyn Keeper>) -> Self {
        Self { keeper }
    }

    #[cfg(test)]
    pub(crate) fn keeper(&self) -> &Arc<dyn Keeper> {
        &self.keeper
    }

    /// Copies `value` into the buffer. Where there is no room it waits for it.
    ///
    /// # Errors
    /// - [`TooLarge`](ShmError::TooLarge): it would not fit into the empty buffer.
    /// - [`Deadlock`](ShmError::Deadlock): there is no room, and it can be told that nobody is left who could make any: this is
    ///   the only thread of its process and there are no workers; or all room is held by worker processes that wait for
    ///   room themselves and run nothing else, and by items that these are at, or that wait for these (then the last of them to
    ///   ask gets this error). Where that can't be told (this process holds something else, a result or a clone, and may drop
    ///   it; an `item_timeout` will end the wait) the wait goes on, and after 10 s it is logged, once.
    /// - [`Stopped`](ShmError::Stopped): there is no room, and the pipeline is ending that this thread, or this worker process,
    ///   works for: nobody will take the result.
    /// - [`Codec`](ShmError::Codec): `serde` can't serialise it.
    /// - [`Gone`](ShmError::Gone): the process that made the buffer doesn't answer.
    pub fn write<T: Store + ?Sized>(&self, value: &T) -> Result<ShmRef<T>, ShmError> {
        self.store(value, true)
    }

    /// As [`write`](Self::write), but doesn't wait.
    ///
    /// # Errors
    /// [`Full`](ShmError::Full) where `write` would wait; else as `write`.
    pub fn try_write<T: Store + ?Sized>(&self, value: &T) -> Result<ShmRef<T>, ShmError> {
        self.store(value, false)
    }

    fn store<T: Store + ?Sized>(&self, value: &T, wait: bool) -> Result<ShmRef<T>, ShmError> {
        let (reservation, len) = value.store(&|bytes| self.room(bytes, wait))?;
        let (name, lease) = reservation.commit(Stamp { len: len as u64, kind: kind::<T>() });
        Ok(ShmRef::new(name, lease))
    }

    /// Room for `len` elements, to be filled in place. Where there is none it waits for it.
    ///
    /// ```
    /// use tinypl::process::SharedMemoryRingBuffer;
    ///
    /// let ring = SharedMemoryRingBuffer::new(1 << 16)?;
    /// let mut room = ring.reserve(3)?;
    /// room.copy_from_slice(&[1_u8, 2, 3]);
    /// assert_eq!(*ring.read(room.commit())?, [1, 2, 3]);
    /// # Ok::<(), tinypl::process::ShmError>(())
    /// ```
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub fn reserve<T: Pod>(&self, len: usize) -> Result<Reserved<T>, ShmError> {
        self.elements(len, true)
    }

    /// As [`reserve`](Self::reserve), but doesn't wait.
    ///
    /// # Errors
    /// [`Full`](ShmError::Full) where `reserve` would wait; else as `reserve`.
    pub fn try_reserve<T: Pod>(&self, len: usize) -> Result<Reserved<T>, ShmError> {
        self.elements(len, false)
    }

    fn elements<T: Pod>(&self, len: usize, wait: bool) -> Result<Reserved<T>, ShmError> {
        let bytes = size_of::<T>().saturating_mul(len);
        Ok(Reserved::new(self.room(bytes, wait)?, len))
    }

    pub(crate) fn room(&self, bytes: usize, wait: bool) -> Result<Reservation, ShmError> {
        let grant = self.keeper.reserve(bytes, wait)?;
        Ok(Reservation::new(self.keeper.clone(), grant))
    }

    /// What `reference` names, in place. The guard takes over the reference's share; for two readers, clone the reference.
    ///
    /// ```
    /// use tinypl::process::SharedMemoryRingBuffer;
    ///
    /// let ring = SharedMemoryRingBuffer::new(1 << 16)?;
    /// let (text, pairs) = (ring.write("to be or not to be")?, ring.write(&vec![(1, 'a'), (2, 'b')])?);
    /// assert_eq!(ring.read(pairs)?[1], (2, 'b'));
    /// assert_eq!(ring.read(text)?.split(' ').count(), 6);
    /// assert_eq!(ring.free_ratio(), 1.0);
    /// # Ok::<(), tinypl::process::ShmError>(())
    /// ```
    ///
    /// # Errors
    /// - [`Stale`](ShmError::Stale): what it names was freed.
    /// - [`Corrupt`](ShmError::Corrupt): it names nothing that was ever stored in this buffer as a `T`.
    /// - [`Codec`](ShmError::Codec): `serde` can't deserialise it.
    /// - [`Gone`](ShmError::Gone): the process that made the buffer doesn't answer.
    pub fn read<T: Load + ?Sized>(&self, reference: ShmRef<T>) -> Result<ShmGuard<T>, ShmError> {
        let (name, share) = reference.into_parts();
        if name.ring != self.keeper.ring() {
            return Err(ShmError::corrupt("it belongs to another buffer"));
        }
        if name.stamp.kind != kind::<T>() {
            return Err(ShmError::corrupt(format!("what it names is no `{}`", std::any::type_name::<T>())));
        }
        let lease = match share {
            Some(share) if share.counts() => share,
            // in a worker the guard has a hold of its own: a share may go over to others while the guard lives
            _share => Arc::new(Lease::new(self.keeper.clone(), self.keeper.read(name)?)),
        };
        lease.populate();
        ShmGuard::open(lease, name)
    }

    /// A copy of what `reference` names.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_owned<T: Load + ?Sized>(&self, reference: ShmRef<T>) -> Result<T::Owned, ShmError> {
        Ok(self.read(reference)?.into_owned())
    }

    /// How many things are stored; in a worker whose owner is gone, 0.
    pub fn num_stored_items(&self) -> usize {
        self.keeper.figures().map_or(0, |figures| figures.stored)
    }

    /// How much of the buffer is free, from 0 to 1. A single thing may need more than any one gap has.
    #[expect(clippy::cast_precision_loss, reason = "it is a ratio")]
    pub fn free_ratio(&self) -> f64 {
        self.keeper.figures().map_or(0.0, |figures| figures.free as f64 / self.capacity() as f64)
    }

    /// How many bytes it holds.
    pub fn capacity(&self) -> usize {
        self.keeper.region().len()
    }
}

/// What a worker gets of a buffer, beside the descriptors.
#[derive(Serialize, Deserialize)]
struct Ticket {
    place: u32,
    ring: u64,
    len: usize,
}

impl Serialize for SharedMemoryRingBuffer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some(passenger) = self.keeper.clone().passenger() else {
            let what =
                "a `process::SharedMemoryRingBuffer` can't be sent on by a worker: make one in the worker for its own";
            return Err(S::Error::custom(what));
        };
        let place = luggage::board(passenger).ok_or_else(|| S::Error::custom(NOT_HERE))?;
        Ticket { place, ring: self.keeper.ring(), len: self.capacity() }.serialize(serializer)
    }
}

const NOT_HERE: &str =
    "a `process::SharedMemoryRingBuffer` can only be sent to a worker, as the context of `process::map_with`";

impl<'de> Deserialize<'de> for SharedMemoryRingBuffer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Ticket { place, ring, len } = Ticket::deserialize(deserializer)?;
        let fds = luggage::take(place).ok_or_else(|| D::Error::custom(NOT_HERE))?;
        // the same buffer twice in a context: one connection is enough, and the only one that is told to stop
        if let Some(keeper) = keeper::find(ring).filter(|keeper| !keeper.counts()) {
            return Ok(Self { keeper });
        }
        let [region, socket]: [OwnedFd; 2] =
            fds.try_into().map_err(|_| D::Error::custom("shared memory whose descriptors did not come along"))?;
        let region = Region::open(region, len).map_err(D::Error::custom)?;
        Ok(Self::kept_by(Arc::new(Client::new(ring, region, UnixStream::from(socket)))))
    }
}

impl fmt::Debug for SharedMemoryRingBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedMemoryRingBuffer").field("capacity", &self.capacity()).finish_non_exhaustive()
    }
}
