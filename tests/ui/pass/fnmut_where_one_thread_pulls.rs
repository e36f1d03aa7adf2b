// A closure that changes what it captured: without a queue, below the queue, above `thread::mutex`, above a process stage, and in every stage.
#![deny(warnings)]

use std::collections::HashSet;
use tinypl::pipeline;

fn main() {
    let (mut n, mut seen, mut calls, mut kept, mut tried, mut items) = (0, HashSet::new(), 0, 0, 0, Vec::new());
    let (mut sum, mut odd, mut shown) = (0, Vec::new(), 0);
    let sums: Vec<i32> = pipeline! {
        range(5) |> map(move |x| { sum += x; sum }) |> each(move |x| odd.push(x % 2)) |> process::map(|x| x + 1, workers = 1)
            |> collect()
    };
    assert_eq!(sums, [1, 2, 4, 7, 11]);
    let k = pipeline! {
        range(9)
            |> map(move |x| { n += x; n })
            |> filter(move |x| seen.insert(*x))
            |> thread::mutex()
            |> thread::queue(workers = 2)
            |> m @ marker::insert_periodic(3)
            |> marker::on(|| calls += 1, m)
            |> each(|x| items.push(*x))
            |> filter_map(|x| { kept += 1; Some(x) })
            |> try_map(|x| { tried += 1; i8::try_from(x) })
            |> debug::print_on_item(|x| { shown += 1; *x })
            |> count()
    };
    assert_eq!((k, items.len(), calls, kept, tried, shown), (9, 9, 3, 9, 9, 9));
}
