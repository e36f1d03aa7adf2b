use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> map(|x| x + ) |> thread::queue(4) };
    for x in p { println!("{x}") }
}
