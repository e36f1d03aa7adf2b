// An expansion names nothing by the prelude.
#![no_implicit_prelude]
#![deny(warnings)]

use ::tinypl::pipeline;

fn main() {
    pipeline! {
        let mut a = range(20)
            |> map(|x| x + 1)
            |> filter(|x| x % 2 == 0)
            |> filter_map(|x: i32| ::core::primitive::i32::checked_add(x, 1))
            |> each(|_| ())
            |> o @ order::save(4)
            |> q @ thread::map(|x| 2 * x, workers = 2, on_worker_error = forward)
            |> thread::map_init(|| 1, |by, x| x * *by, workers = 1)
            |> order::load(o)
            |> m @ marker::insert_periodic(3, after = true)
            |> marker::on(|| ())
            |> marker::on(|| (), m);
        let b = a |> partition(2, markers = after) |> flatten() |> enumerate() |> skip(1) |> take(9) |> thread::mutex();
    }
    ::std::assert_eq!(::core::iter::Iterator::next(&mut a), ::core::option::Option::Some(6));
    ::std::assert_eq!((q.workers(), o.maxsize()), (2, 4));
    ::std::assert_eq!(pipeline! { b |> marker::until(m) |> count() }, 1);
    let some: ::std::vec::Vec<i32> = pipeline! { range(1, 9, 3) |> zip([1, 2]) |> map(|(a, b)| a * b) |> collect() };
    ::std::assert_eq!(some, [1, 8]);
    let all = pipeline! { [1, 2] |> chain([3]) |> try_map(::core::result::Result::Ok::<i32, ::tinypl::Error>) |> try_collect::<::std::vec::Vec<i32>>() };
    ::std::assert!(all.is_ok());
    let n = 2;
    ::std::assert_eq!(pipeline! { range(3) |> map(|x| x * n) |> fold(0, |a, b| a + b) }, 6);
    let all: ::std::vec::Vec<i32> = pipeline! {
        range(3) |> o @ order::save(2) |> process::map(|x| x + 1, workers = 2, on_death = retry(1), on_worker_error = forward)
            |> process::map_with(2, |by, x| by * x, 1) |> process::map_init(|| 1, |n, x| *n + x, 1) |> process::each(|_| (), 1)
            |> order::load(o) |> collect()
    };
    ::std::assert_eq!(all, [3, 5, 7]);
    pipeline! { range(3) |> for_each(|x| ::std::assert!(x < 3)) }
}
