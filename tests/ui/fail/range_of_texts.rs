use tinypl::pipeline;

fn main() {
    let p = pipeline! { range("1", "9") |> map(|x| x) };
    for x in p { println!("{x:?}") }
}
