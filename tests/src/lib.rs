//! What the tests share.
mod errand;
mod gate;
mod ledger;
mod outcome;
mod process;
mod random;
mod records;
mod remains;
mod scratch;
mod signals;
mod tally;
#[cfg(target_os = "linux")]
mod terminal;
mod traveller;
mod watchdog;

pub use errand::{Deed, Errand, errands, runs_of};
pub use gate::{Gate, linger, wait_until};
pub use ledger::{Ledger, Numbers};
pub use outcome::{final_outcome, outcome};
pub use process::{alone, child, cpu_millis, cpu_millis_of, is_child, skipped, workers};
pub use random::{Random, rounds, uneven, work};
pub use records::{RECORDS, logged, record};
pub use remains::{
    Tidy, children, family, hold_sockets, lives, resident, say_to_parent, signal_child, stands_still, states, tidy,
};
pub use scratch::{Scratch, await_note, note, notes};
pub use signals::signals;
pub use tally::{Tally, Thing};
#[cfg(target_os = "linux")]
pub use terminal::{Session, Terminal};
pub use traveller::Traveller;
pub use watchdog::{Watchdog, watchdog};
