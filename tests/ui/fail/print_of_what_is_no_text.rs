use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> debug::print_on_item(|x| vec![*x]) |> map(|x| x + 1) };
    for x in p { println!("{x:?}") }
}
