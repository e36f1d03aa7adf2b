use tinypl::pipeline;

fn main() {
    let c = std::cell::Cell::new(1);
    let p = pipeline! { range(9) |> thread::map_init(move || c.get(), |s, x| x + *s, 2) |> map(|x| x + 1) };
    for x in p { println!("{x:?}") }
}
