use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> q @ map(|x| x + 1) |> thread::queue(4) };
    for x in p { println!("{x}") }
}
