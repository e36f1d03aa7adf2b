use tinypl::pipeline;

fn main() {
    let p = pipeline! { ; };
    for x in p { println!("{x}") }
}
