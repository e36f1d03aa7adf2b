use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> thread::queue(4, maxsiez = 8) };
    for x in p { println!("{}", x.pow(2)) }
}
