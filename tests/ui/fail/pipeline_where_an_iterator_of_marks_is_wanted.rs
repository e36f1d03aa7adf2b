use tinypl::pipeline;

fn main() {
    pipeline! { let a = range(9) |> m @ marker::insert_periodic(2); }
    let n: usize = pipeline! { a.map(|x| x + 1) |> marker::until(m) |> count() };
    println!("{n}");
}
