use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> order::save(4) |> thread::queue(2) };
    for x in p { println!("{x}") }
}
