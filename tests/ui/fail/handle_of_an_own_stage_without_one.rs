use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> q @ self::double() |> thread::queue(4) };
    for x in p { println!("{x}") }
}

fn double<P: tinypl::Pipe<Item = i32>>(up: P) -> impl tinypl::Like<P, Item = i32> {
    tinypl::map(up, |x| 2 * x)
}
