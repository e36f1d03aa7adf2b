use tinypl::pipeline;

fn main() {
    std::thread::scope(|s| {
        let k = vec![3];
        let n = pipeline! { range(9) |> thread::map(|x| x + k[0], workers = 2, scope = s) |> count() };
        println!("{n}");
    });
}
