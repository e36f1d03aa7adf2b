use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> thread::queue(2) |> order::load(o) |> map(|x| x + 1) };
    for x in p { println!("{x}") }
}
