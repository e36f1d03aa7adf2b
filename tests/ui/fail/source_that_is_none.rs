use tinypl::pipeline;

fn main() {
    let p = pipeline! { 5 |> map(|x| x + 1) };
    for x in p { println!("{x:?}") }
}
