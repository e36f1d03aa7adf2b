use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> filter(|x| x + 1) |> map(|n| n + 2) |> thread::queue(2) };
    for x in p { println!("{x:?}") }
}
