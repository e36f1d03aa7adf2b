use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(0, 9, 0) |> map(|x| x + 1) };
    for x in p { println!("{x}") }
}
