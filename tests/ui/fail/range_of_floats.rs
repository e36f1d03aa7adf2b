use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(0.5, 9.0) |> map(|x| x) };
    for x in p { println!("{x:?}") }
}
