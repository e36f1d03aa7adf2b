use tinypl::pipeline;

fn main() {
    let mut a = pipeline! { range(9) |> map(|x| x + 1) };
    let p = pipeline! { &mut a |> take(2) };
    println!("{:?}", a.next());
    for x in p { println!("{x:?}") }
}
