use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> q @ thread::queue(4) };
    println!("{} {}", q.fill(), p.count());
}
