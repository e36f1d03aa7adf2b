use tinypl::pipeline;

fn main() {
    let _ = pipeline! { dataloader::load(vec![1, 2], 4, collate = |batch: Vec<String>| batch.len()) };
}
