use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> progress(vec![1]) |> map(|x| x + 1) };
    p.for_each(drop);
}
