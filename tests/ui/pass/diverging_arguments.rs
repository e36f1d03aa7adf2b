// `return`, `?` and `break` in an argument leave what is around the block, and nothing after them is called unreachable.
#![deny(warnings)]

use tinypl::pipeline;

fn first(n: Option<usize>) -> Option<Vec<i32>> {
    let mut found = None;
    for k in 0..3 {
        let context = Some(n? as i32);
        let _ = pipeline! { range(9) |> process::map_with(context?, |c, x| c + x, workers = if k > 1 { break } else { 1 }) };
        found = Some(pipeline! { range(9) |> skip(if k > 1 { break } else { k }) |> take(n?) |> collect() });
    }
    found
}

fn main() {
    assert_eq!(first(Some(2)), Some(vec![1, 2]));
    assert_eq!(first(None), None);
}
