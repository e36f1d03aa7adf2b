use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> m @ marker::insert_periodic(2) |> partition(3, markers = middle) |> marker::until(m) };
    for x in p { println!("{x:?}") }
}
