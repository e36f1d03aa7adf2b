use tinypl::{dataloader::Dataset, pipeline};

struct Images;

impl Dataset for Images {
    type Sample = u8;
    fn len(&self) -> usize {
        3
    }
    fn get(&self, _: usize) -> u8 {
        0
    }
}

fn main() {
    let _ = pipeline! { dataloader::load(Images, 4, map = process(workers = 2)) };
}
