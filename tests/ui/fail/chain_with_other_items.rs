use tinypl::pipeline;

fn main() {
    let p = pipeline! { vec![1, 2] |> chain(vec!["a"]) |> map(|x| x + 1) };
    for x in p { println!("{x:?}") }
}
