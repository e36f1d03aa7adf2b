use tinypl::pipeline;

fn main() {
    let mut n = 0;
    pipeline! {
        let a = range(9) |> m @ marker::insert_periodic(3) |> o @ order::save(4) |> filter(|x| x % 2 == 0)
            |> map(move |x| { n += x; n }) |> map(|x| Some(x)) |> filter_map(|x| x) |> each(|x| println!("{x}"));
    }
    let p = pipeline! { a |> thread::map(|x| x + 1, 4) |> order::load(o) |> marker::until(m) };
    for x in p { println!("{x:?}") }
}
