use tinypl::pipeline;

fn main() {
    let p = pipeline! { vec![1i32] |> map(|x| x + 1) |> map(|x| x.len()) |> thread::queue(2) |> filter(|n| *n > 2) };
    for x in p { println!("{x:?}") }
}
