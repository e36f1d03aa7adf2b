//! What travels beside the bytes of a value: descriptors for a worker, and what has to stay alive while the value is under
//! way. serde hands a `Serialize` nothing but the serialiser, so the luggage of the value at hand lies in a thread-local.
use std::any::Any;
use std::cell::RefCell;
use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

/// Something in a context that is set up anew for each worker, as a ring buffer is.
pub(crate) trait Passenger: Send + Sync {
    /// Before a worker starts.
    ///
    /// # Errors
    /// When there are no descriptors left.
    fn board(&self) -> io::Result<Boarded>;
}

/// A worker, as a passenger knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seat {
    /// The passenger's number.
    pub(crate) ring: u64,
    /// The worker's, there.
    pub(crate) client: u64,
}

/// What one worker gets of a passenger.
pub(crate) struct Boarded {
    pub(crate) fds: Vec<OwnedFd>,
    pub(crate) seat: Seat,
    /// Dropped when the worker is gone and all that it ever sent was decoded.
    pub(crate) ticket: Box<dyn Any + Send>,
}

/// What came along with an encoded value.
#[derive(Default)]
pub(crate) struct Luggage {
    pub(crate) passengers: Vec<Arc<dyn Passenger>>,
    /// Dropped when the value has been dealt with.
    holds: Vec<Box<dyn Any + Send + Sync>>,
}

impl Luggage {
    /// What stays alive.
    pub(crate) fn holds(&self) -> impl Iterator<Item = &(dyn Any + Send + Sync)> {
        self.holds.iter().map(|hold| &**hold)
    }
}

thread_local! {
    static PACKING: RefCell<Option<Luggage>> = const { RefCell::new(None) };
    /// What came for each passenger, while a context is decoded.
    static UNPACKING: RefCell<Option<Vec<Option<Vec<OwnedFd>>>>> = const { RefCell::new(None) };
}

/// Runs `encode`; what it [`board`]s and [`hold`]s is the luggage.
pub(crate) fn packing<R>(encode: impl FnOnce() -> R) -> (R, Luggage) {
    let outer = PACKING.replace(Some(Luggage::default()));
    let restore = Restore(outer);
    let result = encode();
    let luggage = PACKING.take().unwrap_or_default();
    drop(restore);
    (result, luggage)
}

/// Puts back what was there before, even if an encoder panics.
struct Restore(Option<Luggage>);

impl Drop for Restore {
    fn drop(&mut self) {
        PACKING.replace(self.0.take());
    }
}

/// While a value is encoded: a passenger's place. `None` where nothing is being encoded for a worker.
pub(crate) fn board(passenger: Arc<dyn Passenger>) -> Option<u32> {
    PACKING.with_borrow_mut(|luggage| {
        let passengers = &mut luggage.as_mut()?.passengers;
        passengers.push(passenger);
        u32::try_from(passengers.len() - 1).ok()
    })
}

/// While a value is encoded: keeps `thing` until the value has been dealt with. Whether something is being encoded.
pub(crate) fn hold(thing: impl Any + Send + Sync) -> bool {
    PACKING.with_borrow_mut(|luggage| match luggage {
        Some(luggage) => {
            luggage.holds.push(Box::new(thing));
            true
        }
        None => false,
    })
}

/// In a worker: runs `decode`, which may [`take`] what came for the passengers, by their places.
pub(crate) fn unpacking<R>(fds: Vec<Vec<OwnedFd>>, decode: impl FnOnce() -> R) -> R {
    UNPACKING.replace(Some(fds.into_iter().map(Some).collect()));
    let result = decode();
    UNPACKING.take();
    result
}

/// In a worker, while a context is decoded: what came for the passenger at `place`.
pub(crate) fn take(place: u32) -> Option<Vec<OwnedFd>> {
    UNPACKING.with_borrow_mut(|all| all.as_mut()?.get_mut(usize::try_from(place).ok()?)?.take())
}

/// Whether a context is being decoded, in a worker.
#[cfg(feature = "dataloader")]
pub(crate) fn is_unpacking() -> bool {
    UNPACKING.with_borrow(Option::is_some)
}

impl fmt::Debug for Luggage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Luggage").field("passengers", &self.passengers.len()).field("holds", &self.holds.len()).finish()
    }
}

impl fmt::Debug for Boarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Boarded").field("fds", &self.fds).finish_non_exhaustive()
    }
}
