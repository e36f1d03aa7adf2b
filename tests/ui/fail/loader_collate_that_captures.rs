use tinypl::pipeline;

fn main() {
    let table = vec![1, 2];
    let _ = pipeline! { dataloader::load(vec![1, 2], 4, collate = move |_| table.len(), map = process(workers = 2)) };
}
