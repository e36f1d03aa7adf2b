use tinypl::pipeline;

fn main() {
    pipeline! {
        let a = range(9) |> m @ marker::insert_periodic(2);
        let b = range(9) |> k @ marker::insert_periodic(2) |> marker::until(m);
    }
    println!("{}{}{k:?}", a.count(), b.count());
}
