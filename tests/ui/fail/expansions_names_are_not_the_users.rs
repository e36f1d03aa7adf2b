use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> q @ thread::queue(2) |> take(stage + q.maxsize()) };
    for x in p { println!("{x}") }
}
