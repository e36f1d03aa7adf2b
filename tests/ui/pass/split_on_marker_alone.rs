// `split_on_marker = true` says where markers go, too.
#![deny(warnings)]

use tinypl::pipeline;

fn main() {
    pipeline! { let a = range(7) |> m @ marker::insert_periodic(3) |> partition(2, split_on_marker = true); }
    let groups: Vec<Vec<i32>> = pipeline! { a |> marker::until(m) |> collect() };
    assert_eq!(groups, [vec![0, 1], vec![2]]);
}
