use tinypl::pipeline;

fn main() {
    pipeline! { let a = range(9) |> map(|x| x + 1); }
    let n = a.count();
    for x in pipeline! { a |> map(|x| x + 1) } { println!("{x}{n}") }
}
