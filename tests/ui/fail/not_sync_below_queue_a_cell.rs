use tinypl::pipeline;

fn main() {
    let c = std::cell::Cell::new(3);
    let p = pipeline! { range(9) |> map(move |x| x + c.get()) |> map(|x| x + 1) |> thread::queue(4) };
    for x in p { println!("{x:?}") }
}
