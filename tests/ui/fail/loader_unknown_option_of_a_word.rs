use tinypl::pipeline;

fn main() {
    let _ = pipeline! { dataloader::load(vec![1, 2], 4, collate_map = process(2, max_size = 3)) };
}
