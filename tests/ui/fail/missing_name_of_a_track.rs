use tinypl::pipeline;

fn main() {
    pipeline! { let = range(9) |> map(|x| x + 1); }
}
