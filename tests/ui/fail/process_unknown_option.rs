use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> process::map(|x| x + 1, workers = 2, item_timeuot = limit) |> map(|x| x + 1) };
    for x in p { println!("{x:?}") }
}
