use tinypl::pipeline;

fn main() {
    let c = std::rc::Rc::new(1);
    let p = pipeline! { (0..9).map(move |x| x + *c) |> thread::queue(4) |> map(|x| x + 1) };
    for x in p { println!("{x:?}") }
}
