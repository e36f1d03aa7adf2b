use tinypl::pipeline;

fn main() {
    let p = pipeline! { range(9) |> marker::insert_periodic(2) |> partition(3, markers = befor) };
    for x in p { println!("{x:?}") }
}
