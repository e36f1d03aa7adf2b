//! Stages that show what happens: [`print_on_item`].
mod print_on_item;

pub use print_on_item::{Message, PrintOnItem, print_on_item};
