use tinypl::pipeline;

fn main() {
    let mut seen = std::collections::HashSet::new();
    let p = pipeline! { range(9) |> filter(move |x| seen.insert(*x)) |> map(|x| x + 1) |> thread::queue(4) };
    for x in p { println!("{x:?}") }
}
