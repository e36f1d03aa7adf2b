use tinypl::pipeline;

fn main() {
    macro_rules! mapped {
        ($source:expr, $f:expr) => {
            pipeline! { $source |> map($f) |> thread::queue(2) |> map(|x| x + 1) }
        };
    }
    for x in mapped!(vec![0], |s: String| s.len()) { println!("{x}") }
}
