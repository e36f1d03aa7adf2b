use tinypl::pipeline;

fn main() {
    let a = pipeline! { range(9) |> map(|x| x + 1) };
    let p = pipeline! { &a |> map(|x| x + 1) };
    for x in p { println!("{x:?}") }
}
