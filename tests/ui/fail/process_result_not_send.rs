use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> process::map(|x| std::rc::Rc::new(x), workers = 2) |> map(|x| *x) };
    for x in p { println!("{x:?}") }
}
