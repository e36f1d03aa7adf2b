use tinypl::pipeline;

fn main() {
    pipeline! { let p = range(9) |> a @ order::save(4) |> b @ order::save(4); }
    let v = pipeline! { p |> order::load(a) |> count() };
    println!("{v}{b:?}");
}
