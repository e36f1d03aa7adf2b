use tinypl::{dataloader, pipeline};

fn main() {
    let table = vec![1, 2];
    let numbers = dataloader::from_fn(2, move |i| table[i]);
    let _ = pipeline! { dataloader::load(numbers, 4, map = process(workers = 2)) };
}
