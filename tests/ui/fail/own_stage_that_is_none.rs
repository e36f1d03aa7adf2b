use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> double() |> filter(|x| *x > 2) };
    for x in p { println!("{x}") }
}

fn double(x: i32) -> i32 {
    2 * x
}
