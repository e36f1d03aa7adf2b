use tinypl::pipeline;

fn main() {
    let n = pipeline! { range(9) |> marker::until() |> count() };
    println!("{n}");
}
