use tinypl::pipeline;

fn main() {
    let n = 3i32;
    let p = pipeline! { range(9) |> take(n) |> map(|x| x + 1) };
    for x in p { println!("{x}") }
}
