use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> marker::insert_periodic(3) |> partition(3, split_on_marker = 1) |> map(|v| v.len()) };
    for x in p { println!("{x}") }
}
