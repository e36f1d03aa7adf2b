//! Stages that show what happens: [`print_on_item`].
mod print_on_item;

pub use print_on_item::{Function, FunctionMut, Message, PrintOnItem, Text, print_on_item, print_on_item_mut};
