use tinypl::pipeline;

fn main() {
    pipeline! { let a: i32 = range(9) |> o @ order::save(2); }
    println!("{} {}", a.count(), o.maxsize());
}
