use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> thread::map(|s: String| s.len(), 2) |> filter(|n| *n > 2) };
    for x in p { println!("{x:?}") }
}
