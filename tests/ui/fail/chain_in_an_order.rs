use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> o @ order::save(4) |> chain(0..3) |> order::load(o) };
    for x in p { println!("{x:?}") }
}
