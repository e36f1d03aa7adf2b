use tinypl::pipeline;

fn main() {
    let mut n = 0;
    let p = pipeline! { range(9) |> filter(|x| x % 2 == 0) |> map(move |x| { n += x; n }) |> filter(|x| x % 2 == 0) |> thread::queue(4) };
    for x in p { println!("{x:?}") }
}
