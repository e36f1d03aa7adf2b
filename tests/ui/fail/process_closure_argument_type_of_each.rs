use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> process::each(|x: &String| println!("{x}"), workers = 2) |> map(|x| x + 1) };
    for x in p { println!("{x:?}") }
}
