use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> ratelimit(3, 1) |> map(|x| x + 1) };
    for x in p { println!("{x}") }
}
