use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> debug::print_on_item(vec![1]) |> map(|x| x + 1) };
    for x in p { println!("{x:?}") }
}
