// Lints that rustc allows by default, and that a user may deny, find nothing in an expansion.
#![deny(warnings)]
#![deny(future_incompatible, let_underscore, nonstandard_style, rust_2018_idioms, rust_2021_compatibility)]
#![deny(rust_2024_compatibility, keyword_idents, unused)]
#![deny(
    absolute_paths_not_starting_with_crate,
    ambiguous_negative_literals,
    closure_returning_async_block,
    deprecated_in_future,
    elided_lifetimes_in_paths,
    explicit_outlives_requirements,
    ffi_unwind_calls,
    impl_trait_redundant_captures,
    let_underscore_drop,
    macro_use_extern_crate,
    meta_variable_misuse,
    missing_abi,
    missing_copy_implementations,
    missing_debug_implementations,
    missing_docs,
    non_ascii_idents,
    redundant_imports,
    redundant_lifetimes,
    single_use_lifetimes,
    trivial_casts,
    trivial_numeric_casts,
    unit_bindings,
    unnameable_types,
    unreachable_pub,
    unsafe_code,
    unused_extern_crates,
    unused_import_braces,
    unused_lifetimes,
    unused_macro_rules,
    unused_qualifications,
    unused_results,
    variant_size_differences
)]
//! Documented.

use std::sync::Mutex;
use std::time::Duration;
use tinypl::pipeline;

fn main() {
    let seen = Mutex::new(Vec::new());
    let offset = 1;
    pipeline! {
        let mut a = range(40)
            |> map(|x| x + offset)
            |> filter(|x| x % 2 == 0)
            |> filter_map(|x: i32| x.checked_add(1))
            |> try_map(|x| u32::try_from(x - 1))
            |> each(|x| { seen.lock().unwrap().push(*x); })
            |> ratelimit(1000, Duration::from_millis(1))
            |> m @ marker::insert_periodic(3)
            |> marker::on(|| ());
        let b = a |> partition(2, split_on_marker = true) |> flatten_eager() |> enumerate() |> skip(1) |> take(9) |> share();
    }
    assert_eq!(a.next(), Some(2));
    assert_eq!(pipeline! { b |> marker::until(m) |> count() }, 1);
    let n: usize = pipeline! {
        let a = range(9) |> o @ order::save(4);
        a |> q @ thread::map(|x| x * offset_of(x), 2, 8) |> order::load(o) |> each(|_| assert_eq!(q.maxsize(), 8)) |> count()
    };
    assert_eq!(n, 9);
    let mut calls = 0;
    pipeline! {
        let c = range(4) |> map(move |x| { calls += 1; x + calls }) |> p @ process::map(|x| x + 1, workers = 2, on_death = retry(3))
            |> process::map_with(offset, |by, x| x * by, 1, maxsize = 4) |> process::each(|x| assert!(*x > 1), 1);
    }
    let d: i32 = pipeline! { c |> process::map_init(Vec::new, |seen, x| { seen.push(x); x }, workers = (1)) |> fold(0, |a, b| a + b) };
    assert_eq!((d, p.workers()), (20, 0));
    let all: Vec<i32> = pipeline! { (0..3) |> map((|x| x + 1)) |> chain((5..6)) |> collect() };
    assert_eq!(all, [1, 2, 3, 5]);
    pipeline! { range(3) |> marker::insert_periodic(2) |> thread::each(|x| assert!(*x < 3), 1) |> for_each(|x| assert!(x < 3)) }
}

fn offset_of(x: i32) -> i32 {
    x + 1
}
