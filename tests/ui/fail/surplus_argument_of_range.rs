use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(1, 2, 3, 4) |> map(|x| x + 1) };
    for x in p { println!("{x}") }
}
