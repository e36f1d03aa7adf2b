// Own stages, next to the language's own names, generic and with options.
#![deny(warnings)]

use tinypl::{Like, Pipe, Pipeline, Plain, pipeline};

mod my_stages {
    use tinypl::{Like, Pipe};

    pub fn map<P: Pipe<Item = i32>>(up: P, by: i32) -> impl Like<P, Item = i32> {
        tinypl::map(up, move |x| by * x)
    }

    pub fn dedup<P: Pipe<Item: PartialEq + Clone>>(up: P) -> impl Like<P, Item = P::Item> {
        let mut last = None;
        tinypl::filter_mut(up, move |x| last.replace(x.clone()).as_ref() != Some(x))
    }
}

fn double<P: Pipe<Item = i32>>(up: P) -> impl Like<P, Item = i32> {
    my_stages::map(up, 2)
}

fn numbers() -> Pipeline<impl Plain<Item = i32>> {
    pipeline! { [1, 1, 2, 2, 2, 3] |> my_stages::dedup() |> map(|x| x) }
}

fn main() {
    let all: Vec<i32> = pipeline! {
        numbers() |> o @ order::save(4) |> double() |> self::double |> thread::queue(workers = 2) |> order::load(o)
            |> my_stages::map(10) |> partition(2) |> flatten() |> collect()
    };
    assert_eq!(all, [40, 80, 120]);
}
