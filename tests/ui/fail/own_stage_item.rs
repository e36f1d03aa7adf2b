use tinypl::pipeline;

fn main() {
    fn double<P: tinypl::Pipe<Item = i32>>(up: P) -> impl tinypl::Like<P, Item = i32> {
        tinypl::map(up, |x| 2 * x)
    }
    let p = pipeline! { range(9) |> map(|x| x.to_string()) |> double() |> filter(|x| *x > 2) };
    for x in p { println!("{x}") }
}
