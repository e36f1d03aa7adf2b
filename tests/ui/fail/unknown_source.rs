use tinypl::pipeline;

fn main() {
    let p = pipeline! { undefined |> map(|x| x + 1) |> thread::queue(2) |> filter(|x| *x > 2) };
    for x in p { println!("{x}") }
}
