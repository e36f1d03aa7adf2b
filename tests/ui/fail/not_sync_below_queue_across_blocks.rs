use tinypl::pipeline;

fn main() {
    let c = std::rc::Rc::new(3);
    let a = pipeline! { range(9) |> map(move |x| x + *c) };
    let p = pipeline! { a |> map(|x| x + 1) |> thread::queue(4) };
    for x in p { println!("{x:?}") }
}
