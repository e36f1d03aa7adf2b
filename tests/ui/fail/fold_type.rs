use tinypl::pipeline;

fn main() {
    let n = pipeline! { vec![1] |> map(|x| x + 1) |> fold("", |a, x| a + x) };
    println!("{n}");
}
