use tinypl::pipeline;

mod my {
    pub fn double<P: tinypl::Pipe<Item = i32>>(up: P) -> impl tinypl::Like<P, Item = i32> {
        tinypl::map(up, |x| 2 * x)
    }
}

fn main() {
    let p = pipeline! { vec!["a"] |> self::my::double() |> thread::map(|x| x + 1, workers = 2) };
    for x in p { println!("{x}") }
}
