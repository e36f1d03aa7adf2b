use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> Map(|x| x + 1) |> thread::queue(2) };
    for x in p { println!("{x}") }
}
