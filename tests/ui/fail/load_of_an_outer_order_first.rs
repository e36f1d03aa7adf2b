use tinypl::pipeline;

fn main() {
    let v = pipeline! { range(9) |> a @ order::save(4) |> b @ order::save(4) |> order::load(a) |> order::load(b) |> count() };
    println!("{v}");
}
