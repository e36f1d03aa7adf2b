use tinypl::pipeline;

fn main() {
    let n = pipeline! { range(9) |> o @ order::save(4) |> thread::map(|x| x + 1, 2) |> count() };
    println!("{n}");
}
