use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> process::map(workers = 2) |> map(|x| x + 1) };
    for x in p { println!("{x:?}") }
}
