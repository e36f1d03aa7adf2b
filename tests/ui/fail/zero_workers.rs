use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> thread::queue(workers = 0, maxsize = 2) };
    for x in p { println!("{x}") }
}
