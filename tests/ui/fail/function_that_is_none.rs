use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> map(5) |> filter(|n| *n > 2) };
    for x in p { println!("{x:?}") }
}
