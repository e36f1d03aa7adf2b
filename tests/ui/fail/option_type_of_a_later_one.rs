use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> thread::queue(2, maxsize = -8) |> filter(|x| *x > 2) };
    for x in p { println!("{x}") }
}
