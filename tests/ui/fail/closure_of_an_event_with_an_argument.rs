use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> m @ marker::insert_periodic(3) |> marker::on(|x| println!("{x}"), m) };
    for x in p { println!("{x:?}") }
}
