use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> o @ order::save(4) |> m @ marker::insert_periodic(3) |> order::load(o) |> marker::until(m) };
    for x in p { println!("{x:?}") }
}
