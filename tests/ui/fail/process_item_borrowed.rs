use tinypl::pipeline;

fn main() {
    let p = pipeline! { "a b".split(' ') |> process::map(|word| word.len(), workers = 2) |> map(|n| n + 1) };
    for x in p { println!("{x:?}") }
}
