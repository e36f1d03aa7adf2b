use tinypl::pipeline;

fn main() {
    let n = pipeline! {
        let a = range(9) |> o @ order::save(4);
        a |> thread::map(|x| x + 1, 2) |> count()
    };
    println!("{n}");
}
