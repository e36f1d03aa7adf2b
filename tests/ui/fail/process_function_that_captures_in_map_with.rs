use tinypl::pipeline;

fn main() {
    let k = 3;
    let p = pipeline! { range(9) |> process::map_with(2, |n, x| n * x + k, workers = 2) |> map(|x| x + 1) };
    for x in p { println!("{x:?}") }
}
