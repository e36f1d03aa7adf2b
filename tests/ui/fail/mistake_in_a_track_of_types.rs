use tinypl::pipeline;

fn main() {
    pipeline! {
        let mut a = range(9) |> map(|x| x + 1) |> o @ order::save(4) |> map(|x| Some(x)) |> q @ thread::queue(4);
        let mut b = a |> map(|s: String| s.len()) |> order::load(o) |> map(|x| x + 1) |> k @ thread::queue(2);
        let mut c = b |> map(|x| x + 1) |> partition(3);
    }
    println!("{:?} {:?}", a.next(), b.next());
    println!("{:?} {} {}", c.next(), q.fill(), k.fill());
    o.set_maxsize(3);
}
