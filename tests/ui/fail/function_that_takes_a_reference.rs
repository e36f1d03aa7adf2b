use tinypl::pipeline;

fn main() {
    fn f(x: &i32) -> i32 { x + 1 }
    let p = pipeline! { range(9) |> thread::map(f, 2) |> filter(|n| *n > 2) };
    for x in p { println!("{x:?}") }
}
