use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> marker::insert_periodic(0usize) };
    for x in p { println!("{x:?}") }
}
