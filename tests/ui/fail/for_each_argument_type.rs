use tinypl::pipeline;

fn main() {
    pipeline! { vec![1] |> map(|x| x + 1) |> for_each(|s: String| println!("{s}")) }
}
