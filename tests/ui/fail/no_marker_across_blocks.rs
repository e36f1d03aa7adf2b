use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> map(|x| x + 1) };
    let n = pipeline! { p |> marker::on(|| println!("here")) |> map(|x| x + 1) |> count() };
    println!("{n}");
}
