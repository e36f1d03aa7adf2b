use tinypl::pipeline;

fn main() {
    pipeline! { let a = range(9) |> m @ marker::insert_periodic(2); }
    let n = pipeline! { range(9) |> marker::until(m) |> count() };
    println!("{n}{}", a.count());
}
