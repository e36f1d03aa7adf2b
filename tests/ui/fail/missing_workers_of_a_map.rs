use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> thread::map(|x| x + 1, maxsize = 8) };
    for x in p { println!("{x}") }
}
