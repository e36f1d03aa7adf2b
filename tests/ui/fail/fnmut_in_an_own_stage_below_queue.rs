use tinypl::pipeline;

fn main() {
    fn running<P: tinypl::Pipe<Item = i32>>(up: P) -> impl tinypl::Like<P, Item = i32> {
        let mut n = 0;
        tinypl::map_mut(up, move |x| { n += 1; x + n })
    }
    let p = pipeline! { range(9) |> running() |> thread::queue(2) |> filter(|x| *x > 2) };
    for x in p { println!("{x}") }
}
