use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> map(|x| x + 1) |> map(|s: String| s.len()) |> filter(|n| *n > 2) };
    for x in p { println!("{x:?}") }
}
