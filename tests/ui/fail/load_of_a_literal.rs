use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> order::load(5) |> filter(|x| *x > 2) };
    for x in p { println!("{x}") }
}
