use tinypl::{dataloader, pipeline};

struct Image;

fn main() {
    let images = dataloader::from_fn(3, |_| Image);
    let _ = pipeline! { dataloader::load(images, 4, map = process(workers = 2)) };
}
