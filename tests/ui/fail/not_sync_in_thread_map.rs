use tinypl::pipeline;

fn main() {
    let c = std::cell::RefCell::new(vec![]);
    let p = pipeline! { range(9) |> thread::map(move |x| c.borrow_mut().push(x), 4) };
    for x in p { println!("{x:?}") }
}
