use tinypl::pipeline;

fn main() {
    let c = std::rc::Rc::new(3);
    let p = pipeline! { range(9) |> map(move |x| x + *c) |> thread::queue(4) };
    for x in p { println!("{x:?}") }
}
