//! Memory that processes share.
mod error;
mod region;

pub use error::{Room, ShmError};
pub use region::Backend;
#[expect(unused_imports, reason = "wip")]
pub(crate) use region::Region;
