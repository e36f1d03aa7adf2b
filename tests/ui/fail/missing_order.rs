use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> o @ order::save(4) |> thread::queue(2) |> order::load() };
    for x in p { println!("{x}") }
}
