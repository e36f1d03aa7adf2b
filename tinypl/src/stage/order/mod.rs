//! Orders: [`save`] numbers what passes, [`load`] gives it back by those numbers, whatever threads and filters do between.
//!
//! ```
//! use tinypl::pipeline;
//!
//! let squares: Vec<i32> = pipeline! {
//!     range(8)
//!         |> o @ order::save(maxsize = 4)
//!         |> thread::map(|x| x * x, workers = 2)
//!         |> filter(|x| x % 2 == 0)
//!         |> order::load(o)
//!         |> collect()
//! };
//! assert_eq!(squares, [0, 4, 16, 36]);
//! ```
//!
//! Orders nest: in the types they are a list, `(Ordered<B>, (Ordered<A>, ()))`, and the one saved last is loaded first.
mod load;
mod ring;
mod save;
mod window;

pub use load::{Load, load};
pub(crate) use save::branded;
pub use save::{Numbering, Save, save};
pub(crate) use window::Handed;
pub use window::{Order, Ordered, Ticket, Top, Window};
