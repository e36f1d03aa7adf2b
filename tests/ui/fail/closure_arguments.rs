use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> enumerate() |> map(|n, x| n + x) |> filter(|n| *n > 2) };
    for x in p { println!("{x:?}") }
}
