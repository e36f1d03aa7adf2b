use tinypl::pipeline;

#[derive(Debug, Clone)]
struct Point(i32);

fn main() {
    let p = pipeline! { range(9) |> process::map(|x| Point(x), workers = 2) |> map(|p| p.0) };
    for x in p { println!("{x:?}") }
}
