use tinypl::pipeline;

fn main() {
    let mut n = 0;
    let count = move |x: i32| { n += x; n };
    let p = pipeline! { range(9) |> map(count) |> thread::queue(4) };
    for x in p { println!("{x:?}") }
}
