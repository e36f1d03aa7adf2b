use tinypl::pipeline;

fn main() {
    let p = pipeline! { crate = 5; range(9) |> map(|x| x + 1) };
    for x in p { println!("{x}") }
}
