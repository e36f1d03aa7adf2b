use tinypl::pipeline;

fn main() {
    let k = vec![3];
    let p = pipeline! { range(9) |> thread::map(|x| x + k[0], workers = 2) };
    for x in p { println!("{x:?}") }
}
