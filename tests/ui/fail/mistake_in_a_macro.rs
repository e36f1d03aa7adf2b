use tinypl::pipeline;

fn main() {
    macro_rules! queued {
        ($source:expr, $workers:expr) => {
            pipeline! { $source |> thread::queue($workers, maxsiez = 3) |> map(|x| x + 1) }
        };
    }
    for x in queued!(0..9, 2) { println!("{x}") }
}
