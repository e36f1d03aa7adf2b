use tinypl::pipeline;

fn main() {
    let n = pipeline! { vec![1] |> map(|x| x + 1) |> try_for_each(|x| x + 1) };
    println!("{n:?}");
}
