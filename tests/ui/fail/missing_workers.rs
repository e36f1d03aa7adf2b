use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> thread::queue() };
    for x in p { println!("{x}") }
}
