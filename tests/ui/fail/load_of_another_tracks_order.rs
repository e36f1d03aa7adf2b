use tinypl::pipeline;

fn main() {
    pipeline! {
        let a = range(9) |> o @ order::save(4) |> order::load(o);
        let b = range(9) |> thread::queue(2) |> order::load(o);
    }
    println!("{} {}", a.count(), b.count());
}
