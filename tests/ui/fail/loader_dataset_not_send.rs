use std::rc::Rc;
use tinypl::pipeline;

fn main() {
    let _ = pipeline! { dataloader::load(vec![Rc::new(1)], 4, map = thread(workers = 2)) };
}
