//! What the tests share.
mod signals;
mod watchdog;

pub use signals::signals;
pub use watchdog::{Watchdog, watchdog};
