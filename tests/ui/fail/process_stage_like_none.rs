use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> process::frobnicate(4) |> map(|x| x + 1) };
    for x in p { println!("{x:?}") }
}
