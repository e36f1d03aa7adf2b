// errors: 2
use tinypl::pipeline;

fn main() {
    pipeline! {
        let a = range(9) |> take(n = 0);
        let b = range(9) |> thread::queue(4, maxsiez = 8);
    }
    println!("{} {}", a.count(), b.count());
}
