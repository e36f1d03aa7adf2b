use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> m @ marker::insert_periodic(2) |> marker::on(|| (), m) |> partition(3) };
    for x in p { println!("{x:?}") }
}
