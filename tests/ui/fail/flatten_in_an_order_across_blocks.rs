use tinypl::pipeline;

fn main() {
    pipeline! { let a = range(9) |> o @ order::save(4) |> map(|x| vec![x]); }
    let p = pipeline! { a |> flatten_eager() |> order::load(o) |> map(|x| x + 1) };
    for x in p { println!("{x:?}") }
}
