use tinypl::pipeline;

fn main() {
    let _ = pipeline! { range(3) |> dataloader::load(vec![1], 2) };
}
