use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> map(|x| x + 1) |> filter(|n: &u8| *n > 2) |> map(|x| x + 1) };
    let all: Vec<i32> = p.collect();
    println!("{all:?}");
}
