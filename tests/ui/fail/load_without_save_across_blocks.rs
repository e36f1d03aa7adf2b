use tinypl::pipeline;

fn main() {
    pipeline! { let a = range(9) |> o @ order::save(4) |> order::load(o); }
    let p = pipeline! { a |> order::load(o) |> map(|x| x + 1) };
    for x in p { println!("{x}") }
}
