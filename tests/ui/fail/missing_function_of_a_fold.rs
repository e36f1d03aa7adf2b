use tinypl::pipeline;

fn main() {
    let n: i32 = pipeline! { range(9) |> fold(0) };
    println!("{n}");
}
