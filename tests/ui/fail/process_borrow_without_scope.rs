use tinypl::pipeline;

fn main() {
    let v = vec![1, 2, 3];
    let p = pipeline! { v.iter().map(|x| x + 1) |> process::map(|x| x + 1, workers = 2) |> map(|x| x + 1) };
    for x in p { println!("{x:?}") }
}
