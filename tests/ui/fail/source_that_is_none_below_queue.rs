use tinypl::pipeline;

fn main() {
    let p = pipeline! { main() |> map(|x| x) |> thread::queue(2) };
    for x in p { println!("{x:?}") }
}
