use tinypl::pipeline;

fn main() {
    let shared = std::rc::Rc::new(1);
    let p = pipeline! { (0..9).filter(move |x| *x > *shared) |> process::map(|x| x + 1, workers = 2) |> map(|x| x + 1) };
    for x in p { println!("{x:?}") }
}
