use tinypl::pipeline;

fn main() {
    let n = pipeline! { range(9) |> count(3) };
    println!("{n}");
}
