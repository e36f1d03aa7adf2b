use tinypl::pipeline;

fn main() {
    let mut n = 0;
    let p = pipeline! { range(9) |> m @ marker::insert_periodic(2) |> marker::on(move || n += 1, m) |> thread::queue(4) };
    for x in p { println!("{x:?}") }
}
