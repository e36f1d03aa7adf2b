use tinypl::pipeline;

fn main() {
    let n = 0;
    let p = pipeline! { range(9) |> map(|x| { n += x; n }) };
    for x in p { println!("{x:?}") }
}
