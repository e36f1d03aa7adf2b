use tinypl::pipeline;

fn main() {
    let v = vec![1, 2];
    let _ = pipeline! { dataloader::load(&v, 4, map = thread(workers = 2)) };
}
