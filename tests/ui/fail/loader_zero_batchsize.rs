use tinypl::pipeline;

fn main() {
    let _ = pipeline! { dataloader::load(vec![1, 2], batchsize = 0) };
}
