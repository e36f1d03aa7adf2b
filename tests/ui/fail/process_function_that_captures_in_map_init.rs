use tinypl::pipeline;

fn main() {
    let k = 3;
    let p = pipeline! { range(9) |> process::map_init(|| 1, |n, x| { *n += k; *n + x }, workers = 2) |> map(|x| x + 1) };
    for x in p { println!("{x:?}") }
}
