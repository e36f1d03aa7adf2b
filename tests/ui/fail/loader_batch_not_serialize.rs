use tinypl::pipeline;

struct Batch;

fn main() {
    let _ = pipeline! { dataloader::load(vec![1, 2], 4, collate = |_| Batch, collate_map = process(workers = 2)) };
}
