use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> enumerate(1) |> map(|(n, x)| n as i32 + x) };
    for x in p { println!("{x}") }
}
