use tinypl::pipeline;

fn main() {
    pipeline! { let a = range(9) |> o @ order::save(4); }
    let p = pipeline! { a |> m @ marker::insert_periodic(3) |> order::load(o) |> marker::until(m) };
    for x in p { println!("{x:?}") }
}
