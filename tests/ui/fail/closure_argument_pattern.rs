use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> map(|(a, b)| a + b) |> filter(|n| *n > 2) };
    for x in p { println!("{x:?}") }
}
