use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> process::map(|x| x + 1, 2, on_death = retry(1, 2)) |> map(|x| x + 1) };
    for x in p { println!("{x:?}") }
}
