use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> q @ thread::queue(2) |> order::load(q) |> filter(|x| *x > 2) };
    for x in p { println!("{x}") }
}
