use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> thread::map_init(String::new(), |s, x| { s.push('x'); x }, 2) |> map(|x| x + 1) };
    for x in p { println!("{x:?}") }
}
