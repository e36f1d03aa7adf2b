use tinypl::pipeline;

fn main() {
    let v = vec![std::rc::Rc::new(1)];
    let p = pipeline! { v |> thread::map(|x| *x, 4) };
    for x in p { println!("{x:?}") }
}
