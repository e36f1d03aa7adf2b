use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> thread::map(|x| x + 1, 2, 0) };
    for x in p { println!("{x}") }
}
