use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> o @ order::save(4) |> map(|x| vec![x]) |> flatten() |> order::load(o) };
    for x in p { println!("{x:?}") }
}
