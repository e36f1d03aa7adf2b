use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> map(|x: Vec<_>| x.len()) |> map(|x| x + 1) };
    for x in p { println!("{x}") }
}
