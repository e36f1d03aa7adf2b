use tinypl::pipeline;

fn main() {
    let v = pipeline! { range(9) |> fliter(|x| x % 2 == 0) |> map(|x| x + 1) |> collect::<Vec<_>>() };
    println!("{}", v.len());
}
