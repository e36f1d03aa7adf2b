use tinypl::pipeline;

fn main() {
    let seen = std::sync::Mutex::new(Vec::new());
    let p = pipeline! { range(9) |> process::each(|x| seen.lock().unwrap().push(*x), workers = 2) |> map(|x| x + 1) };
    for x in p { println!("{x:?}") }
}
