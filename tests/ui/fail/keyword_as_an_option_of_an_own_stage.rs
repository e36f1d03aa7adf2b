use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> self::own(type = 8) |> map(|x| x + 1) };
    for x in p { println!("{x}") }
}

fn own<P: tinypl::Pipe>(up: P) -> P {
    up
}
