use tinypl::pipeline;

fn main() {
    pipeline! {
        let mut a = range(9) |> o @ order::save(4) |> thread::queue(4, maxsiez = 8);
        let mut b = a |> order::load(o) |> map(|x| x + 1);
    }
    println!("{:?} {:?}", a.next(), b.next());
    o.set_maxsize(3);
}
