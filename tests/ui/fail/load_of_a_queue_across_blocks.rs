use tinypl::pipeline;

fn main() {
    pipeline! { let a = range(9) |> o @ order::save(3) |> q @ thread::queue(2); }
    let p = pipeline! { a |> order::load(q) |> filter(|x| *x > 2) };
    for x in p { println!("{x}{o:?}") }
}
