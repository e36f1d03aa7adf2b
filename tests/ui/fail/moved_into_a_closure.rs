use tinypl::pipeline;

fn main() {
    let text = String::from("a");
    let p = pipeline! { range(9) |> map(move |x| format!("{text}{x}")) };
    for x in p { println!("{x}{text}") }
}
