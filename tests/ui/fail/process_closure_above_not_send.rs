use tinypl::pipeline;

fn main() {
    let shared = std::rc::Rc::new(1);
    let p = pipeline! { range(9) |> map(move |x| x + *shared) |> process::map(|x| x + 1, workers = 2) |> map(|x| x + 1) };
    for x in p { println!("{x:?}") }
}
