use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> frobnicate(3) |> thread::queue(2) |> filter(|x| *x > 2) };
    for x in p { println!("{x}") }
}
