use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> map(|x| std::rc::Rc::new(x)) |> o @ order::save(3) |> thread::queue(4) |> order::load(o) };
    for x in p { println!("{x:?}") }
}
