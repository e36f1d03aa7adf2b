use tinypl::pipeline;

fn main() {
    let k = 3;
    let p = pipeline! { range(9) |> filter(|x: &Option<_>| x.is_some_and(|y: i32| y > k)) |> thread::queue(2) |> map(|x| x + 1) };
    for x in p { println!("{x}") }
}
