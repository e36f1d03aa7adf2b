use tinypl::pipeline;

fn main() {
    pipeline! { let a = range(9) |> o @ order::save(4); }
    let p = pipeline! { a |> partition(3) |> order::load(o) |> map(|v| v.len()) };
    for x in p { println!("{x:?}") }
}
