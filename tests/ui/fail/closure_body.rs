use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> map(|x| x + 1) |> map(|x| x.len()) |> filter(|n| *n > 2) };
    for x in p { println!("{x:?}") }
}
