// Threads borrow local data in a scope; without threads anything borrows.
#![deny(warnings)]

use tinypl::pipeline;

fn main() {
    let (data, by) = (vec![1, 2, 3], 10);
    let sum: i32 = std::thread::scope(|s| {
        pipeline! {
            data.iter()
                |> thread::map(|x| x * by, workers = 2, scope = s)
                |> thread::queue(1, scope = s)
                |> fold(0, |a, b| a + b)
        }
    });
    assert_eq!(sum, 60);
    let mut pipe = pipeline! { data.iter() |> map(|x| x * by) };
    let first: Vec<i32> =
        std::thread::scope(|s| pipeline! { &mut pipe |> thread::queue(1, 1, scope = s) |> take(1) |> collect() });
    assert_eq!(first, [10]);
    assert_eq!(data.len() + by as usize, 13);
}
