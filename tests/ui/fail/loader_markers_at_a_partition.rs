use tinypl::pipeline;

fn main() {
    let _ = pipeline! { e @ dataloader::load(vec![1], 2) |> partition(2) |> marker::until(e) };
}
