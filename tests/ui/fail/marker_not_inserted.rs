use tinypl::pipeline;

fn main() {
    let n = pipeline! { range(9) |> marker::until(m) |> map(|x| x + 1) |> count() };
    println!("{n}");
}
