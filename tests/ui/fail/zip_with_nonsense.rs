use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> zip(5) |> map(|(a, b)| a + b) };
    for x in p { println!("{x:?}") }
}
