use tinypl::pipeline;

fn main() {
    let p = {
        let k = 3;
        pipeline! { range(9) |> map(|x| x + k) }
    };
    for x in p { println!("{x:?}") }
}
