use tinypl::pipeline;

fn main() {
    let _ = pipeline! { dataloader::load(5, batchsize = 2) };
}
