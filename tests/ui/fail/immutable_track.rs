use tinypl::pipeline;

fn main() {
    pipeline! { let a = range(9) |> map(|x| x + 1); }
    println!("{:?}", a.next());
}
