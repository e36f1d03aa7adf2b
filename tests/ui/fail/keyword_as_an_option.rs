use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> thread::queue(2, type = 3) |> map(|x| x + 1) };
    for x in p { println!("{x}") }
}
