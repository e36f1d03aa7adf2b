use tinypl::pipeline;

fn main() {
    let k = 3;
    let p = pipeline! { range(9) |> map(|x| x + k) |> thread::queue(workers = 2) };
    for x in p { println!("{x:?}") }
}
