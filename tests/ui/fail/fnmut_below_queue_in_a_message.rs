use tinypl::pipeline;

fn main() {
    let mut n = 0;
    let p = pipeline! { range(9) |> debug::print_on_item(move |x| { n += x; n }) |> thread::queue(4) };
    for x in p { println!("{x:?}") }
}
