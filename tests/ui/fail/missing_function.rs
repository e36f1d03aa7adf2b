use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> map() |> take(3) };
    for x in p { println!("{x}") }
}
