use tinypl::pipeline;

fn main() {
    fn numbers() -> tinypl::Pipeline<impl tinypl::Pipe<Item = i32, Tags = ()>> {
        pipeline! { range(9) |> map(|x| x + 1) }
    }
    let p = pipeline! { numbers() |> partition(2) |> map(|v| v.len()) };
    for x in p { println!("{x:?}") }
}
