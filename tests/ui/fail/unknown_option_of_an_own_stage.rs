use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> tinypl::thread::queue(maxsiez = 3, workers = 2) };
    for x in p { println!("{}", x) }
}
