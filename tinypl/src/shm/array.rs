//! Arrays of `ndarray` in shared memory: their elements in row-major order, then their shape, then how long that is.
use super::error::ShmError;
use super::lease::{Lease, Reservation};
use super::refs::{ShmGuard, ShmRef};
use super::ring::SharedMemoryRingBuffer;
use super::store::{Load, kind, misfit, sealed};
use super::wire::Stamp;
use bytemuck::Pod;
use ndarray::{Array, ArrayBase, ArrayView, ArrayViewMut, Data, Dimension, IntoDimension};
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

const WORD: usize = size_of::<u64>();

/// Stands for an array of `ndarray` in a [`SharedMemoryRingBuffer`], with elements `A` and dimension `D`: a
/// `ShmRef<NdArray<A, D>>` names it, [`ShmGuard::view`] shows it, without a copy.
///
/// [`SharedMemoryRingBuffer::write_array`] has an example.
pub struct NdArray<A, D> {
    dim: D,
    elements: PhantomData<A>,
}

/// An array in place.
pub struct InPlace<A, D> {
    lease: Arc<Lease>,
    array: NdArray<A, D>,
}

impl<A: Pod, D: Dimension> NdArray<A, D> {
    /// The shape.
    pub fn dim(&self) -> D::Pattern {
        self.dim.clone().into_pattern()
    }

    fn bytes(dim: &D) -> Option<usize> {
        let elements = dim.size_checked()?.checked_mul(size_of::<A>())?;
        elements.checked_next_multiple_of(WORD)?.checked_add((dim.ndim() + 1) * WORD)
    }

    /// Puts the shape after the elements.
    fn describe(dim: &D, reservation: &mut Reservation, bytes: usize) {
        let words = dim.slice().iter().copied().chain([dim.ndim()]);
        let tail = &mut reservation.slice_mut::<u8>(bytes)[bytes - (dim.ndim() + 1) * WORD..];
        for (place, word) in tail.chunks_exact_mut(WORD).zip(words) {
            place.copy_from_slice(&(word as u64).to_le_bytes());
        }
    }

    /// Reads the shape of `len` elements.
    fn described(bytes: &[u8], len: usize) -> Option<D> {
        let mut words = bytes.rchunks_exact(WORD).map(|word| {
            let word = word.first_chunk().map(|word| u64::from_le_bytes(*word));
            word.and_then(|word| usize::try_from(word).ok())
        });
        let ndim = words.next()??;
        if D::NDIM.is_some_and(|expected| expected != ndim) || ndim > bytes.len() / WORD {
            return None;
        }
        let mut dim = D::zeros(ndim);
        for axis in dim.slice_mut().iter_mut().rev() {
            *axis = words.next()??;
        }
        (dim.size_checked() == Some(len) && Self::bytes(&dim) == Some(bytes.len())).then_some(dim)
    }
}

impl<A: Pod, D: Dimension> Load for NdArray<A, D> {
    type Owned = Array<A, D>;

    fn owned(kept: InPlace<A, D>) -> Array<A, D> {
        kept.view().to_owned()
    }
}

impl<A: Pod, D: Dimension> sealed::Load for NdArray<A, D> {
    type Kept = InPlace<A, D>;

    fn open(lease: Arc<Lease>, len: usize) -> Result<InPlace<A, D>, ShmError> {
        match Self::described(lease.bytes(), len) {
            Some(dim) => Ok(InPlace { lease, array: NdArray { dim, elements: PhantomData } }),
            None => Err(misfit(len, &lease)),
        }
    }

    fn get(kept: &InPlace<A, D>) -> &Self {
        &kept.array
    }
}

impl<A: Pod, D: Dimension> InPlace<A, D> {
    fn view(&self) -> ArrayView<'_, A, D> {
        let dim = self.array.dim.clone();
        let elements = self.lease.slice(dim.size());
        ArrayView::from_shape(dim, elements).expect("as many elements as the shape says")
    }
}

impl<A: Pod, D: Dimension> ShmGuard<NdArray<A, D>> {
    /// The array, where it lies.
    pub fn view(&self) -> ArrayView<'_, A, D> {
        self.kept().view()
    }
}

/// Room in shared memory for an array, to be filled in place; [`commit`](Self::commit) stores it. Dropped, it is free again.
///
/// Until it is filled it holds what happens to lie there.
///
/// [`SharedMemoryRingBuffer::reserve_array`] makes it.
pub struct ReservedArray<A, D> {
    reservation: Reservation,
    dim: D,
    elements: PhantomData<A>,
}

impl<A: Pod, D: Dimension> ReservedArray<A, D> {
    /// The array, to be filled.
    pub fn view_mut(&mut self) -> ArrayViewMut<'_, A, D> {
        let elements = self.reservation.slice_mut(self.dim.size());
        ArrayViewMut::from_shape(self.dim.clone(), elements).expect("as many elements as the shape says")
    }

    /// It is filled: from here on it can be read, and no longer be written.
    pub fn commit(self) -> ShmRef<NdArray<A, D>> {
        let stamp = Stamp { len: self.dim.size() as u64, kind: kind::<NdArray<A, D>>() };
        let (name, lease) = self.reservation.commit(stamp);
        ShmRef::new(name, lease)
    }
}

impl SharedMemoryRingBuffer {
    /// Copies an array of plain old data into the buffer. Where there is no room it waits for it.
    ///
    /// ```
    /// use ndarray::{Axis, array};
    /// use tinypl::process::SharedMemoryRingBuffer;
    ///
    /// let ring = SharedMemoryRingBuffer::new(1 << 16)?;
    /// let table = ring.write_array(&array![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])?;
    /// assert_eq!(ring.read(table)?.view().sum_axis(Axis(0)), array![9.0, 12.0]);
    /// # Ok::<(), tinypl::process::ShmError>(())
    /// ```
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub fn write_array<S: Data<Elem: Pod>, D: Dimension>(
        &self,
        array: &ArrayBase<S, D>,
    ) -> Result<ShmRef<NdArray<S::Elem, D>>, ShmError> {
        let mut room = self.reserve_array(array.raw_dim())?;
        match array.as_slice() {
            Some(elements) => room.reservation.slice_mut(elements.len()).copy_from_slice(elements),
            None => room.view_mut().assign(array),
        }
        Ok(room.commit())
    }

    /// Room for an array of that shape, to be filled in place. Where there is none it waits for it.
    ///
    /// ```
    /// use tinypl::process::SharedMemoryRingBuffer;
    ///
    /// let ring = SharedMemoryRingBuffer::new(1 << 16)?;
    /// let mut room = ring.reserve_array((2, 3))?;
    /// room.view_mut().fill(1_u8);
    /// assert_eq!(ring.read(room.commit())?.dim(), (2, 3));
    /// # Ok::<(), tinypl::process::ShmError>(())
    /// ```
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub fn reserve_array<A: Pod, I: IntoDimension>(&self, shape: I) -> Result<ReservedArray<A, I::Dim>, ShmError> {
        let dim = shape.into_dimension();
        let bytes = NdArray::<A, I::Dim>::bytes(&dim).unwrap_or(usize::MAX); // which is too large
        let mut reservation = self.room(bytes, true)?;
        NdArray::<A, I::Dim>::describe(&dim, &mut reservation, bytes);
        Ok(ReservedArray { reservation, dim, elements: PhantomData })
    }
}

impl<A, D: fmt::Debug> fmt::Debug for NdArray<A, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NdArray").field("dim", &self.dim).finish_non_exhaustive()
    }
}

impl<A, D: fmt::Debug> fmt::Debug for InPlace<A, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.array, f)
    }
}

impl<A, D: fmt::Debug> fmt::Debug for ReservedArray<A, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReservedArray").field("dim", &self.dim).finish_non_exhaustive()
    }
}
