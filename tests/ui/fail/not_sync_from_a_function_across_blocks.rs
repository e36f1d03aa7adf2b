use tinypl::pipeline;

fn main() {
    fn numbers() -> tinypl::Pipeline<impl tinypl::Plain<Item = i32>> {
        let mut n = 0;
        pipeline! { range(9) |> map(move |x| { n += x; n }) }
    }
    let p = pipeline! { numbers() |> thread::queue(2) |> filter(|x| *x > 2) };
    for x in p { println!("{x}") }
}
