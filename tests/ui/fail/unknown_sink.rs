use tinypl::pipeline;

fn main() {
    let v: Vec<i32> = pipeline! { range(9) |> map(|x| x + 1) |> colect() };
    println!("{}", v.len());
}
