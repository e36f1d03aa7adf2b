use tinypl::pipeline;

fn main() {
    let n = pipeline! { range(9) |> marker::insert_periodic(3) |> marker::until(1) |> count() };
    println!("{n}");
}
