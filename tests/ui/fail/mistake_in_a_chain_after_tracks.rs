use tinypl::pipeline;

fn main() {
    let n = pipeline! {
        let a = range(9) |> map(|x| x + 1);
        let b = a |> filter(|x| x % 2 == 0);
        a |> zip(b) |> mpa(|(a, b)| a + b) |> count()
    };
    println!("{n}");
}
