use tinypl::pipeline;

fn main() {
    let k = 3;
    let add = |x: i32| x + k;
    let p = pipeline! { range(9) |> process::map(add, workers = 2) |> map(|x| x + 1) };
    for x in p { println!("{x:?}") }
}
