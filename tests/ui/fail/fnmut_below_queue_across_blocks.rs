use tinypl::pipeline;

fn main() {
    let mut n = 0;
    let a = pipeline! { range(9) |> map(move |x| { n += x; n }) };
    let p = pipeline! { a |> thread::queue(4) |> map(|x| x + 1) };
    for x in p { println!("{x:?}") }
}
