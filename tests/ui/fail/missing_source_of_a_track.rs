use tinypl::pipeline;

fn main() {
    pipeline! { let a = ; let b = a |> map(|x| x + 1); }
    println!("{} {}", a.count(), b.count());
}
