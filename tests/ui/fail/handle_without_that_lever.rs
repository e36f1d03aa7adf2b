use tinypl::pipeline;

fn main() {
    pipeline! { let a = range(9) |> q @ thread::queue(4); }
    q.set_maxsize(3);
    println!("{}", a.count());
}
