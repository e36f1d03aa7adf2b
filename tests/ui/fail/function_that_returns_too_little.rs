use tinypl::pipeline;

fn main() {
    fn numbers() -> tinypl::Pipeline<impl tinypl::Plain<Item = i32>> {
        pipeline! { range(9) |> m @ marker::insert_periodic(3) }
    }
    for x in numbers() { println!("{x}") }
}
