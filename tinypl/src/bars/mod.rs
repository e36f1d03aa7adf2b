//! Progress bars: what a bar counts, what its line says, and the terminal that all bars of the process share.
mod line;
mod screen;
mod tally;

pub(crate) use screen::suspend;
#[cfg(feature = "watch")]
pub(crate) use screen::{aside, lines, suspend_for_panic};
pub(crate) use tally::{Bar, Count};
