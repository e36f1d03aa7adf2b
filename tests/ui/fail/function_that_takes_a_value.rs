use tinypl::pipeline;

fn main() {
    fn even(x: i32) -> bool { x % 2 == 0 }
    let p = pipeline! { range(9) |> filter(even) |> map(|n| n + 2) };
    for x in p { println!("{x:?}") }
}
