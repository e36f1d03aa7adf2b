use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> process::map_with(1, |x| x + 1, workers = 2) |> map(|x| x + 1) };
    for x in p { println!("{x:?}") }
}
