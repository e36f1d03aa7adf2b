use tinypl::pipeline;

fn main() {
    pipeline! { let a = range(9) |> m @ marker::insert_periodic(2); }
    pipeline! { let b = range(9) |> k @ marker::insert_periodic(2); }
    let n = pipeline! { b |> marker::on(|| println!("m"), m) |> map(|x| x + 1) |> count() };
    println!("{n}{}{k:?}", a.count());
}
