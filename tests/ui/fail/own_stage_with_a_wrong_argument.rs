use tinypl::pipeline;

fn main() {
    fn times<P: tinypl::Pipe<Item = i32>>(up: P, by: i32) -> impl tinypl::Like<P, Item = i32> {
        tinypl::map(up, move |x| by * x)
    }
    let p = pipeline! { range(9) |> times("2") |> filter(|x| *x > 2) };
    for x in p { println!("{x}") }
}
