use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> ratelimit(0, std::time::Duration::ZERO) |> map(|x| x + 1) };
    for x in p { println!("{x}") }
}
