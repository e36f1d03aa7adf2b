use tinypl::pipeline;

fn main() {
    let a = pipeline! { range(9) |> map(|x| x + 1) };
    let n = pipeline! { a |> count() };
    for x in pipeline! { a |> map(|x| x + 1) } { println!("{x}{n}") }
}
