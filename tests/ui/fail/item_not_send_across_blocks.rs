use tinypl::pipeline;

fn main() {
    let a = pipeline! { range(9) |> map(|x| std::rc::Rc::new(x)) };
    let p = pipeline! { a |> thread::queue(4) |> map(|x| *x + 1) };
    for x in p { println!("{x:?}") }
}
