use tinypl::pipeline;

fn main() {
    let a = 3;
    let p = pipeline! { let b = range(a); let c = b |> take(b); c |> count() };
    println!("{p}");
}
