use std::cell::Cell;
use tinypl::{dataloader, pipeline};

fn main() {
    let cell = Cell::new(1);
    let numbers = dataloader::from_fn(3, move |i| i + cell.get());
    let _ = pipeline! { dataloader::load(numbers, 4, map = thread(workers = 2)) };
}
