use tinypl::pipeline;

fn main() {
    fn offset<P: tinypl::Pipe<Item = i32>>(up: P) -> impl tinypl::Like<P, Item = i32> {
        let by = std::cell::Cell::new(1);
        tinypl::map(up, move |x| x + by.get())
    }
    let p = pipeline! { range(9) |> offset() |> thread::map(|x| x + 1, 2) |> filter(|x| *x > 2) };
    for x in p { println!("{x}") }
}
