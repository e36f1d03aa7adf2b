use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> map(|n| pipeline! { range(n) |> take(0) |> count() }) |> filter(|n| *n > 2) };
    for x in p { println!("{x:?}") }
}
