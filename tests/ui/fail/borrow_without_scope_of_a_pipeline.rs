use tinypl::pipeline;

fn main() {
    let mut a = pipeline! { range(9) |> map(|x| x + 1) };
    let p = pipeline! { &mut a |> thread::queue(workers = 2) |> map(|x| x + 1) };
    for x in p { println!("{x:?}") }
}
