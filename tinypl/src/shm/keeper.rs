//! Who keeps a buffer's books, as seen from where the buffer is used: the [broker](super::broker) itself in the process that
//! made it, a [client](super::client) of it in a worker. And which buffers this process knows.
use super::ShmError;
use super::region::Region;
use super::wire::{Figures, Grant, Name, Stamp};
use crate::crew::luggage::Passenger;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Weak};

pub(crate) trait Keeper: fmt::Debug + Send + Sync {
    /// The buffer's number.
    fn ring(&self) -> u64;

    fn region(&self) -> &Region;

    /// What goes to workers in its place; `None` in a worker, which can't send it on.
    fn passenger(self: Arc<Self>) -> Option<Arc<dyn Passenger>>;

    /// # Errors
    /// When there is no room, and there will be none, or it is not to be waited for.
    fn reserve(&self, bytes: usize, wait: bool) -> Result<Grant, ShmError>;

    /// What was reserved is written.
    fn commit(&self, key: u64, stamp: Stamp);

    /// Gives up what was reserved, or stored.
    fn release(&self, key: u64);

    /// A right to read.
    ///
    /// # Errors
    /// If the name fits nothing that is there.
    fn read(&self, name: Name) -> Result<Grant, ShmError>;

    /// Gives up a right to read.
    fn unread(&self, key: u64);

    /// Whether a reference that arrives here counts, as it does where the books are. In a worker it is borrowed: whoever sent
    /// it holds it.
    fn counts(&self) -> bool;

    /// In a worker: what was stored is on its way, and no longer its own to give up.
    fn sent(&self) {}

    /// In a worker: nothing waits for room any longer.
    fn stop_waiting(&self) {}

    /// # Errors
    /// When the owner is gone.
    fn figures(&self) -> Result<Figures, ShmError>;

    /// Where the books are: how many wait for room.
    #[cfg(test)]
    fn waiting(&self) -> usize {
        0
    }
}

static KNOWN: Mutex<BTreeMap<u64, Weak<dyn Keeper>>> = Mutex::new(BTreeMap::new());

/// From here on references to this buffer, as they are decoded, find it.
pub(crate) fn register(keeper: &Arc<dyn Keeper>) {
    let mut known = KNOWN.lock();
    known.retain(|_, keeper| keeper.strong_count() > 0);
    known.insert(keeper.ring(), Arc::downgrade(keeper));
}

/// The buffer of that number, if this process has it.
pub(crate) fn find(ring: u64) -> Option<Arc<dyn Keeper>> {
    KNOWN.lock().get(&ring).and_then(Weak::upgrade)
}

/// In a worker that is to stop: whoever waits for room, now or later, gets an error.
pub(crate) fn stop_waiting() {
    let known: Vec<_> = {
        let known = KNOWN.lock();
        known.values().filter_map(Weak::upgrade).collect()
    };
    known.iter().for_each(|keeper| keeper.stop_waiting());
}
