use tinypl::pipeline;

fn main() {
    pipeline! { let a = range(9) |> m @ marker::insert_periodic(2); }
    let p = pipeline! { a |> marker::on(|| (), m) |> partition(3) |> map(|v| v.len()) };
    for x in p { println!("{x:?}") }
}
