use tinypl::pipeline;

fn main() {
    let p = pipeline! { crate = nowhere; range(9) };
    for x in p { println!("{x}") }
}
