use tinypl::pipeline;

fn main() {
    let n = pipeline! { range(9) |> o @ order::save(3) |> marker::until(o) |> order::load(o) |> count() };
    println!("{n}");
}
