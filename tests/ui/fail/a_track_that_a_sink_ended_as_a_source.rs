use tinypl::pipeline;

fn main() {
    pipeline! { let n = range(9) |> count(); let b = n |> map(|x| x + 1); }
    println!("{n} {}", b.count());
}
