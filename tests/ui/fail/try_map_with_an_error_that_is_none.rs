use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> try_map(|x| if x > 3 { Err(x) } else { Ok(x) }) |> map(|n| n + 2) };
    for x in p { println!("{x:?}") }
}
