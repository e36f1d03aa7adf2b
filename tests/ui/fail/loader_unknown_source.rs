use tinypl::pipeline;

fn main() {
    let _ = pipeline! { dataloader::lod(vec![1], 2) };
}
