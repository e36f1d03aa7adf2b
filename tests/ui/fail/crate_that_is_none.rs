use tinypl::pipeline;

fn main() {
    let p = pipeline! { crate = nowhere; 0..9 };
    for x in p { println!("{x}") }
}
