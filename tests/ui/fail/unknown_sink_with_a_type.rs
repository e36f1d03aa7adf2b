use tinypl::pipeline;

fn main() {
    let v = pipeline! { range(9) |> map(|x| x + 1) |> colect::<Vec<_>>() };
    println!("{}", v.len());
}
