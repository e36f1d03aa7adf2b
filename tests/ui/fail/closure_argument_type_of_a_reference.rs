use tinypl::pipeline;

fn main() {
    let p = pipeline! { vec![1i32] |> map(|x| x + 1) |> filter(|n: &u8| *n > 2) |> map(|x| x + 1) };
    for x in p { println!("{x:?}") }
}
