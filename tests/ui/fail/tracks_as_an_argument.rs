use tinypl::pipeline;

fn main() {
    println!("{:?}", pipeline! { let a = range(9); let b = a |> map(|x| x + 1); });
}
