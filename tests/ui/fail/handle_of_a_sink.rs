use tinypl::pipeline;

fn main() {
    let n = pipeline! { range(9) |> q @ count() };
    println!("{n}");
}
