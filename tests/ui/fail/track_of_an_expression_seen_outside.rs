use tinypl::pipeline;

fn main() {
    let n = pipeline! { let a = range(9) |> map(|x| x + 1); a |> count() };
    println!("{n} {}", a.count());
}
