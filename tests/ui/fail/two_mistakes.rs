// errors: 2
use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> take(n = 0) |> thread::queue(4, maxsiez = 8) };
    for x in p { println!("{x}") }
}
