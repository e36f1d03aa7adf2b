use tinypl::pipeline;

fn main() {
    let n = pipeline! { range(9) |> m @ marker::insert_periodic(2) |> marker::on(|| (), m, consume = true) |> marker::until(m) |> count() };
    println!("{n}");
}
