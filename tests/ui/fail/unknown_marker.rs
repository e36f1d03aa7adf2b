use tinypl::pipeline;

fn main() {
    let n = pipeline! { range(9) |> marker::until(mm) |> count() };
    println!("{n}");
}
