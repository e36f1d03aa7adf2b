use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> process::map_init(String::new, |n: &mut Vec<i32>, x| n.len() + x, workers = 2) |> map(|x| x + 1) };
    for x in p { println!("{x:?}") }
}
