//! Memory that processes share. One process, the one that made a buffer, keeps its books; workers ask it over a socket.
//!
//! What is stored goes through these states. A *hold* is one of: here (this process, where the books are: a reference or a
//! guard), author (the worker that made it), reader (a worker's guard). What has no hold left is free.
//!
//! | from | what happens | to |
//! |---|---|---|
//! | free | `write`, `reserve` here / in a worker | reserved, one hold: here / author |
//! | reserved | `commit` | stored, the same hold |
//! | reserved | dropped; its worker dies | free |
//! | stored | a reference here is dropped, unread or not | one hold here less |
//! | stored | a reference is sent to a worker as an item | one hold here more, until the item is dealt with |
//! | stored | a worker drops what it made and did not send | no author |
//! | stored | a worker sends what it made as a result | the same; its references are borrowed from then on |
//! | stored | a reference is decoded here | one hold here more, no author: what was on its way has arrived |
//! | stored | a reference is decoded in a worker | the same: it borrows |
//! | stored | `read` here | the guard takes over the reference's hold |
//! | stored | `read` in a worker, and the end of that | one reader more, one less |
//! | stored | its worker dies | no readers of that worker; the author stays, the reference may be on its way |
//! | stored | all that a dead worker sent has arrived | no author |
//!
//! A name (what a reference is as bytes) has a key that is given out once: after its item was freed it fits nothing.
#[cfg(feature = "ndarray")]
mod array;
mod books;
mod broker;
mod client;
mod connection;
mod error;
mod extents;
mod keeper;
#[expect(unsafe_code, reason = "slices of memory whose owner the compiler can't know, only the books")]
mod lease;
mod listener;
#[cfg(all(test, loom))]
mod models;
#[cfg(test)]
mod random;
mod refs;
mod region;
mod ring;
mod store;
#[cfg(test)]
mod tests;
mod wire;

#[cfg(feature = "ndarray")]
pub use array::{NdArray, ReservedArray};
pub use error::{Room, ShmError};
pub(crate) use keeper::stop_waiting;
pub(crate) use refs::sending;
pub use refs::{Reserved, ShmGuard, ShmRef};
pub use region::Backend;
pub(crate) use region::Region;
pub use ring::SharedMemoryRingBuffer;
pub use store::{Load, Store};
