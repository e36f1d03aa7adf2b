use tinypl::pipeline;

#[derive(Debug, Clone)]
struct Point(i32);

fn main() {
    let p = pipeline! { range(9) |> map(|x| Point(x)) |> process::map(|p| p.0, workers = 2) |> map(|x| x + 1) };
    for x in p { println!("{x:?}") }
}
