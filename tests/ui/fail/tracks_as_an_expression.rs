use tinypl::pipeline;

fn main() {
    let p = pipeline! { let mut a = range(9); };
    for x in p { println!("{x:?}") }
}
