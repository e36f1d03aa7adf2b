use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> q @ thread::queue(2) |> take(stage.len()) |> take(order.len() + marker.len() + s.len() + f.len()) };
    for x in p { println!("{x}") }
}
