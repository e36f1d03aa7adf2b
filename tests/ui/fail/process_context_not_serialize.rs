use tinypl::pipeline;

#[derive(Debug, Clone)]
struct Point(i32);

fn main() {
    let p = pipeline! { range(9) |> process::map_with(Point(1), |p, x| p.0 + x, workers = 2) |> map(|x| x + 1) };
    for x in p { println!("{x:?}") }
}
