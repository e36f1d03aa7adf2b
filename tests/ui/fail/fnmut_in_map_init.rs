use tinypl::pipeline;

fn main() {
    let mut n = vec![0];
    n.push(1);
    let p = pipeline! { range(9) |> thread::map_init(|| 1, move |s, x| { n[0] += x; *s + n[0] }, 2) |> map(|x| x + 1) };
    for x in p { println!("{x:?}") }
}
