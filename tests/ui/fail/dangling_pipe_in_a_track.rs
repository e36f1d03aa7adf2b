use tinypl::pipeline;

fn main() {
    pipeline! {
        let a = range(9) |> o @ order::save(3) |>;
        let b = a |> order::load(o) |> map(|x| x + 1);
    }
    for x in b { println!("{x}") }
    o.set_maxsize(2);
}
