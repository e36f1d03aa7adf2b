use tinypl::pipeline;

fn main() {
    macro_rules! whole {
        ($($tokens:tt)*) => { pipeline! { $($tokens)* } };
    }
    for x in whole! { range(9) |> map(|x| x + 1) |> thread::queue(2, maxsiez = 3) } { println!("{x}") }
}
