use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> o @ order::save(0) |> thread::queue(2) |> order::load(o) };
    for x in p { println!("{x}") }
}
