use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> 5 |> thread::queue(4) };
    for x in p { println!("{x}") }
}
