use tinypl::pipeline;

fn main() {
    let v: Vec<String> = pipeline! { vec![1] |> map(|x| x + 1) |> collect() };
    println!("{v:?}");
}
