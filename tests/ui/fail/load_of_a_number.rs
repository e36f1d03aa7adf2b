use tinypl::pipeline;

fn main() {
    let n = 5;
    let p = pipeline! { range(9) |> order::load(n) |> filter(|x| *x > 2) };
    for x in p { println!("{x}") }
}
