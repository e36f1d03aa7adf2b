use tinypl::pipeline;

fn main() {
    let v = pipeline! {
        range(100)
        |> map(|x| x + 1)
        |> o @ order::save(16)
        |> map(|x: &str| x.len())
        |> thread::map(|x| x * 2, workers = 4)
        |> order::load(o)
        |> m @ marker::insert_periodic(10)
        |> partition(3, markers = after)
        |> marker::until(m)
        |> collect::<Vec<_>>()
    };
    println!("{}", v.len());
}
