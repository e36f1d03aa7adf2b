use tinypl::pipeline;

fn main() {
    let p = pipeline! { vec![1i32] |> thread::map_init(|| 1, |s: &mut usize, x: String| x.len() + *s, 2) |> map(|x| x + 1) };
    for x in p { println!("{x:?}") }
}
