use tinypl::pipeline;

fn main() {
    let mut seen = vec![];
    let n = pipeline! { range(9) |> thread::each(move |x| seen.push(*x), 4) |> count() };
    println!("{n}");
}
