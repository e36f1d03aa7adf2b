use std::rc::Rc;
use tinypl::pipeline;

fn main() {
    let _ = pipeline! { dataloader::load(vec![1, 2], 4, collate = |_| Rc::new(1), map = thread(workers = 2)) };
}
