use tinypl::pipeline;

fn main() {
    pipeline! { let b = a |> map(|x| x + 1); let a = range(9); }
    println!("{} {}", a.count(), b.count());
}
