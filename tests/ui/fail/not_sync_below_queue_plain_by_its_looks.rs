use tinypl::pipeline;

fn main() {
    let c = Mine(3.into());
    let p = pipeline! { range(9) |> filter(move |x| &c == x) |> thread::queue(4) };
    for x in p { println!("{x:?}") }
}

struct Mine(std::cell::Cell<i32>);

impl PartialEq<&i32> for &Mine {
    fn eq(&self, other: &&i32) -> bool {
        self.0.get() == **other
    }
}
