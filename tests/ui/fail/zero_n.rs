use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> partition(n = 0) };
    for x in p { println!("{x:?}") }
}
