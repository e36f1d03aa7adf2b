use tinypl::pipeline;

fn main() {
    let p = pipeline! { q @ (0..9) |> map(|x| x + 1) };
    for x in p { println!("{x}") }
}
