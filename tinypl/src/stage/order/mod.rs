//! Orders: [`save`] numbers what passes, [`load`] gives it back by those numbers.
mod load;
mod save;
mod window;

pub use load::{Load, load};
pub(crate) use save::branded;
pub use save::{Save, save};
pub use window::{Order, Ordered, Ticket, Top, Window};
