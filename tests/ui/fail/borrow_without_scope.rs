use tinypl::pipeline;

fn main() {
    let v = vec![1, 2, 3];
    let p = pipeline! { v.iter() |> thread::map(|x| *x + 1, workers = 2) };
    for x in p { println!("{x:?}") }
}
