//! What the tests share.
mod gate;
mod ledger;
mod process;
mod random;
mod signals;
mod tally;
mod watchdog;

pub use gate::{Gate, linger, wait_until};
pub use ledger::{Ledger, Numbers};
pub use process::{alone, child, cpu_millis, is_child, workers};
pub use random::{Random, rounds, uneven, work};
pub use signals::signals;
pub use tally::{Tally, Thing};
pub use watchdog::{Watchdog, watchdog};
