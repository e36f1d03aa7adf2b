use tinypl::pipeline;

fn main() {
    let mut n = 0;
    let p = pipeline! { range(9) |> thread::map(move |x| { n += x; n }, 4) };
    for x in p { println!("{x:?}") }
}
