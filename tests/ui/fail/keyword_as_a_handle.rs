use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> type @ thread::queue(4) };
    for x in p { println!("{x}") }
}
