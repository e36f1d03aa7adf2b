//! What can lie in shared memory, and how.
use super::error::ShmError;
use super::lease::{Lease, Reservation, Text};
use crate::crew::{decode, encode};
use bytemuck::Pod;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::any::type_name;
use std::fmt;
use std::hash::{DefaultHasher, Hasher};
use std::marker::PhantomData;
use std::sync::Arc;

/// What a [`SharedMemoryRingBuffer`](super::SharedMemoryRingBuffer) can [`read`](super::SharedMemoryRingBuffer::read).
///
/// - `[T]` of plain old data ([`bytemuck::Pod`]: numbers, and structs of numbers), in place, without a copy;
/// - `str`, in place;
/// - whatever `serde` serialises and deserialises, as [postcard](https://docs.rs/postcard): it is deserialised once;
/// - with the feature `ndarray`, arrays of plain old data (`NdArray`), in place.
///
/// It is not for others to implement.
pub trait Load: sealed::Load {
    /// What [`read_owned`](super::SharedMemoryRingBuffer::read_owned) gives: `Vec<T>` for `[T]`, `String` for `str`.
    type Owned;

    #[doc(hidden)]
    fn owned(kept: Self::Kept) -> Self::Owned;
}

/// What a [`SharedMemoryRingBuffer`](super::SharedMemoryRingBuffer) can [`write`](super::SharedMemoryRingBuffer::write): all
/// that it can [`Load`], but for arrays of `ndarray`, for which there is `write_array`.
///
/// It is not for others to implement.
pub trait Store: Load + sealed::Store {}

/// Where an extent of so many bytes comes from.
pub(crate) type Source<'a> = &'a dyn Fn(usize) -> Result<Reservation, ShmError>;

pub(crate) mod sealed {
    use super::{Arc, Lease, Reservation, ShmError, Source};

    pub trait Load {
        /// What a guard holds.
        type Kept;

        /// Opens what was stored with this `len`.
        fn open(lease: Arc<Lease>, len: usize) -> Result<Self::Kept, ShmError>;

        fn get(kept: &Self::Kept) -> &Self;
    }

    pub trait Store {
        /// Copies it into an extent of its own; and its `len`, in whatever units.
        fn store(&self, source: Source<'_>) -> Result<(Reservation, usize), ShmError>;
    }
}

/// By which references and books tell types apart: the same in all processes of one executable.
pub(crate) fn kind<T: ?Sized>() -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(type_name::<T>().as_bytes());
    hasher.finish()
}

/// What was stored doesn't hold what its length says.
pub(crate) fn misfit(len: usize, lease: &Lease) -> ShmError {
    ShmError::corrupt(format!("its length of {len} does not fit the {} bytes that were stored", lease.len()))
}

/// Elements in place.
pub struct Elements<T> {
    lease: Arc<Lease>,
    len: usize,
    elements: PhantomData<T>,
}

impl<T: Pod> Elements<T> {
    fn as_slice(&self) -> &[T] {
        self.lease.slice(self.len)
    }
}

impl<T: Pod> Load for [T] {
    type Owned = Vec<T>;

    fn owned(kept: Elements<T>) -> Vec<T> {
        kept.as_slice().to_vec()
    }
}

impl<T: Pod> sealed::Load for [T] {
    type Kept = Elements<T>;

    fn open(lease: Arc<Lease>, len: usize) -> Result<Elements<T>, ShmError> {
        if size_of::<T>().checked_mul(len) != Some(lease.len()) {
            return Err(misfit(len, &lease));
        }
        Ok(Elements { lease, len, elements: PhantomData })
    }

    fn get(kept: &Elements<T>) -> &Self {
        kept.as_slice()
    }
}

impl<T: Pod> Store for [T] {}

impl<T: Pod> sealed::Store for [T] {
    fn store(&self, source: Source<'_>) -> Result<(Reservation, usize), ShmError> {
        let mut reservation = source(size_of_val(self))?;
        reservation.slice_mut(self.len()).copy_from_slice(self);
        Ok((reservation, self.len()))
    }
}

impl Load for str {
    type Owned = String;

    fn owned(kept: Text) -> String {
        kept.as_str().to_owned()
    }
}

impl sealed::Load for str {
    type Kept = Text;

    fn open(lease: Arc<Lease>, len: usize) -> Result<Text, ShmError> {
        if len != lease.len() {
            return Err(misfit(len, &lease));
        }
        Text::new(lease).map_err(|error| ShmError::corrupt(error.to_string()))
    }

    fn get(kept: &Text) -> &Self {
        kept.as_str()
    }
}

impl Store for str {}

impl sealed::Store for str {
    fn store(&self, source: Source<'_>) -> Result<(Reservation, usize), ShmError> {
        sealed::Store::store(self.as_bytes(), source)
    }
}

impl<T: Serialize + DeserializeOwned> Load for T {
    type Owned = T;

    fn owned(kept: T) -> T {
        kept
    }
}

impl<T: Serialize + DeserializeOwned> sealed::Load for T {
    type Kept = T;

    fn open(lease: Arc<Lease>, len: usize) -> Result<T, ShmError> {
        if len != lease.len() {
            return Err(misfit(len, &lease));
        }
        decode(lease.bytes()).map_err(|cause| codec::<T>(false, cause))
    }

    fn get(kept: &T) -> &T {
        kept
    }
}

impl<T: Serialize + DeserializeOwned> Store for T {}

impl<T: Serialize + DeserializeOwned> sealed::Store for T {
    fn store(&self, source: Source<'_>) -> Result<(Reservation, usize), ShmError> {
        let mut bytes = Vec::new();
        encode(self, &mut bytes).map_err(|cause| codec::<T>(true, cause))?;
        sealed::Store::store(bytes.as_slice(), source)
    }
}

fn codec<T>(writing: bool, cause: String) -> ShmError {
    ShmError::Codec { writing, type_name: type_name::<T>().to_owned(), cause }
}

impl<T: Pod + fmt::Debug> fmt::Debug for Elements<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_slice(), f)
    }
}
