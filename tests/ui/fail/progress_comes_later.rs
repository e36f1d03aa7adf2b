use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> progress("squares", len = 9) |> map(|x| x + 1) };
    for x in p { println!("{x}") }
}
