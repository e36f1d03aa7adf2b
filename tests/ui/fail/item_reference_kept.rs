use tinypl::pipeline;

fn main() {
    let mut kept = vec![];
    let p = pipeline! { vec![String::new()] |> each(|s| kept.push(s)) };
    println!("{}", p.count());
}
