use tinypl::pipeline;

fn main() {
    let v = pipeline! { range(9) |> thread::queue(4, maxsiez = 8) |> map(|s: String| s.len()) |> order::load(o) |> partition(2) |> collect() };
    let v: Vec<usize> = v;
    for x in v { println!("{}", x.len()) }
}
