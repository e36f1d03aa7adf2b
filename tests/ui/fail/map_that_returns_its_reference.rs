use tinypl::pipeline;

fn main() {
    let p = pipeline! { vec![String::new()] |> map(|s| s.as_str()) |> map(|s| s.len()) };
    for x in p { println!("{x:?}") }
}
