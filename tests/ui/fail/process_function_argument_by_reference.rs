use tinypl::pipeline;

fn main() {
    let p = pipeline! { "a b".split(' ') |> map(str::to_owned) |> process::map(str::len, workers = 2) |> map(|x| x + 1) };
    for x in p { println!("{x:?}") }
}
