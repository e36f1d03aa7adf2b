use tinypl::pipeline;

fn main() {
    fn f(s: String) -> usize { s.len() }
    let p = pipeline! { range(9) |> map(|x| x + 1) |> map(f) |> filter(|n| *n > 2) };
    for x in p { println!("{x:?}") }
}
