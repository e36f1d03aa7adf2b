use tinypl::pipeline;

fn length(text: String) -> usize {
    text.len()
}

fn main() {
    let p = pipeline! { range(9) |> process::map(length, workers = 2) |> map(|x| x + 1) };
    for x in p { println!("{x:?}") }
}
