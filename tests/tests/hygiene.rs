//! Names that must not meet: the user's with the expansion's, a macro's with its caller's, the language's with what is in
//! scope. More of it in `language/elsewhere.rs`; what must not compile is in `../ui/fail`, what needs a crate of its own
//! (`#![no_implicit_prelude]`, `#![forbid(unsafe_code)]`) in `../ui/pass`.
#![forbid(unsafe_code)]

use tinypl::pipeline;
use tinypl_tests_renamed::{sum_of, tracks_of};

mod users_variables {
    use super::pipeline;

    #[test]
    fn may_be_called_like_anything_in_the_runtime() {
        let (f, s, up, o, q, m, k, p, e, g, x, item, stage, order, marker, handle) =
            (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16);
        let (map, filter, range, thread, queue, root, init, source, share, track, name, brand) =
            (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
        let sum = f + s + up + o + q + m + k + p + e + g + x + item + stage + order + marker + handle;
        let more = map + filter + range + thread + queue + root + init + source + share + track + name + brand;
        let all: Vec<i32> = pipeline! {
            range(2)
                |> map(move |n| n + f + s + up + o + q + m + k + p + e + g + x + item + stage + order + marker + handle)
                |> thread::map(move |n| {
                    n + map + filter + range + thread + queue + root + init + source + share + track + name + brand
                }, workers = 1)
                |> collect()
        };
        assert_eq!(all, [sum + more, sum + more + 1]);
    }

    #[test]
    fn keep_their_values_after_a_block() {
        let (f, up, s, stage, handle) = (1, 2, 3, 4, 5);
        pipeline! {
            let mut a = range(9) |> q @ thread::queue(workers = 1, maxsize = 3);
            let mut b = a |> m @ marker::insert_periodic(2) |> map(|x| x + f);
        }
        assert_eq!((f, up, s, stage, handle), (1, 2, 3, 4, 5));
        assert_eq!((b.next(), a.next(), q.maxsize()), (Some(1), Some(1), 3));
        let two: Vec<i32> = pipeline! { &mut b |> marker::until(m) |> collect() };
        assert_eq!(two, [3]);
    }

    #[test]
    fn may_be_shadowed_by_tracks_and_handles_of_their_names() {
        let (a, o) = ("outside", "outside too");
        let n = pipeline! {
            let a = range(4) |> o @ order::save(2);
            a |> thread::map(|x| x + 1, workers = 1) |> order::load(o) |> count()
        };
        assert_eq!((n, a, o), (4, "outside", "outside too"));
    }

    #[test]
    fn of_one_stages_arguments_are_not_another_handles() {
        let q = 3;
        let n = pipeline! { range(9) |> take(q) |> q @ thread::queue(1, 5) |> each(|_| assert_eq!(q.maxsize(), 5)) |> count() };
        assert_eq!((n, q), (3, 3));
    }
}

mod handles {
    use super::pipeline;

    #[test]
    fn of_an_expression_are_visible_inside_it_alone() {
        let (q, m, o) = (1, 2, 3);
        let n = pipeline! {
            range(9) |> o @ order::save(4) |> q @ thread::queue(1, 5) |> order::load(o) |> each(|_| assert_eq!(q.maxsize(), 5))
                |> m @ marker::insert_periodic(3) |> marker::until(m) |> count()
        };
        assert_eq!((n, q, m, o), (3, 1, 2, 3));
    }

    #[test]
    fn of_tracks_are_visible_after_them() {
        pipeline! {
            let a = range(9) |> o @ order::save(4) |> q @ thread::queue(workers = 2, maxsize = 5);
            let b = a |> order::load(o) |> m @ marker::insert_periodic(3);
        }
        assert_eq!((q.workers(), q.maxsize()), (2, 5));
        o.set_maxsize(7);
        assert_eq!(pipeline! { b |> marker::until(m) |> count() }, 3);
    }

    #[test]
    fn of_two_blocks_may_have_one_name() {
        pipeline! { let a = range(9) |> m @ marker::insert_periodic(3); }
        let first = m;
        pipeline! { let b = range(9) |> m @ marker::insert_periodic(2); }
        let counts =
            (pipeline! { a |> marker::until(first) |> count() }, pipeline! { b |> marker::until(m) |> count() });
        assert_eq!(counts, (3, 2));
    }

    #[test]
    fn may_have_the_names_of_types_and_modules() {
        mod m {
            pub const N: i32 = 2;
        }
        #[derive(Debug, PartialEq)]
        struct Item(i32);
        let all: Vec<Item> = pipeline! {
            range(m::N) |> m @ marker::insert_periodic(1) |> marker::on(|| (), m) |> i32 @ order::save(2) |> map(Item)
                |> order::load(i32) |> collect()
        };
        let one: i32 = 1;
        assert_eq!(all, [Item(0), Item(one)]);
    }

    #[test]
    fn may_be_raw_names() {
        pipeline! { let r#type = range(9) |> r#fn @ marker::insert_periodic(2) |> r#for @ thread::queue(1, 5); }
        assert_eq!(r#for.maxsize(), 5);
        assert_eq!(pipeline! { r#type |> marker::until(r#fn) |> count() }, 2);
    }
}

mod a_shadowed_prelude {
    #![expect(
        dead_code,
        unused_macros,
        reason = "what is declared here stands in the way of an expansion that would use it"
    )]
    use super::pipeline;

    struct Option;
    struct Result;
    struct Some;
    struct None;
    struct Ok;
    struct Err;
    struct Vec;
    struct Box;
    struct String;
    struct Iterator;
    struct IntoIterator;
    struct Into;
    struct From;
    struct Fn;
    struct FnMut;
    struct Send;
    struct Sync;
    struct Default;
    struct Clone;
    struct Drop;
    struct PhantomData;
    struct Pipeline;
    struct Pipe;
    #[expect(non_camel_case_types, reason = "as the real ones")]
    struct usize;
    #[expect(non_camel_case_types, reason = "as the real ones")]
    struct bool;
    mod tinypl {}
    mod core {}
    mod std {}
    mod alloc {}
    mod thread {}
    mod process {}
    mod marker {}
    mod order {}
    mod debug {}
    mod dataloader {}
    macro_rules! panic {
        ($($tokens:tt)*) => {
            compile_error!("not the expansion's")
        };
    }
    macro_rules! matches {
        ($($tokens:tt)*) => {
            compile_error!("not the expansion's")
        };
    }
    fn map() {}
    fn filter() {}
    fn range() {}
    fn collect() {}
    fn count() {}
    fn queue() {}
    fn drop() {}

    #[test]
    fn does_no_harm() {
        pipeline! {
            let mut a = range(20)
                |> map(|x| x + 1)
                |> filter(|x| x % 2 == 0)
                |> filter_map(|x: i32| x.checked_add(1))
                |> try_map(|x: i32| <i32 as ::core::convert::TryInto<i32>>::try_into(x))
                |> each(|_| ())
                |> o @ order::save(maxsize = 4)
                |> q @ thread::map(|x| 2 * x, workers = 2, maxsize = 3, on_worker_error = forward)
                |> thread::map_init(|| 1, |by, x| x * *by, workers = 1)
                |> order::load(o)
                |> m @ marker::insert_periodic(3)
                |> marker::on(|| ())
                |> marker::on(|| (), m);
            let b = a
                |> partition(2, markers = before, split_on_marker = true)
                |> flatten()
                |> enumerate()
                |> skip(1)
                |> take(9)
                |> thread::mutex()
                |> share();
        }
        assert_eq!(a.next(), ::core::option::Option::Some(6));
        assert_eq!((q.workers(), o.maxsize()), (2, 4));
        assert_eq!(pipeline! { b |> marker::until(m) |> count() }, 1);
        let closure = 1;
        let by_hand: ::std::vec::Vec<i32> = pipeline! { [1, 2] |> map(|x| x + closure) |> collect() };
        assert_eq!(by_hand, [2, 3]);
        let tried: ::core::result::Result<::std::vec::Vec<i32>, ::tinypl::Error> =
            pipeline! { [1, 2] |> try_collect() };
        assert_eq!(tried.ok(), ::core::option::Option::Some(::std::vec![1, 2]));
    }
}

mod functions_of_the_languages_names {
    use super::pipeline;
    use tinypl::{Like, Pipe};

    pub fn map<P: Pipe<Item = i32>>(up: P, by: i32) -> impl Like<P, Item = i32> {
        tinypl::map(up, move |x| by * x)
    }

    pub fn filter<P: Pipe<Item = i32>>(up: P) -> impl Like<P, Item = i32> {
        tinypl::filter(up, |x| x % 2 == 0)
    }

    pub mod thread {
        use tinypl::{Like, Pipe};

        pub fn queue<P: Pipe<Item = i32>>(up: P) -> impl Like<P, Item = i32> {
            tinypl::map(up, |x| -x)
        }
    }

    fn range(n: i32) -> Vec<i32> {
        vec![n; 3]
    }

    fn collect<P: Pipe<Item = i32>>(up: P) -> impl Like<P, Item = i32> {
        tinypl::map(up, |x| 100 + x)
    }

    #[test]
    fn the_languages_win() {
        let all: Vec<i32> = pipeline! { range(4) |> map(|x| x + 1) |> filter(|x| x % 2 == 1) |> thread::queue(workers = 1) |> collect() };
        assert_eq!(all, [1, 3]);
    }

    #[test]
    fn by_a_longer_path_they_are_ones_own() {
        let all: Vec<i32> = pipeline! {
            self::range(4) |> self::map(10) |> self::filter() |> self::thread::queue() |> self::collect() |> collect()
        };
        assert_eq!(all, [60, 60, 60]);
        let all: Vec<i32> = pipeline! { range(3) |> crate::functions_of_the_languages_names::map(2) |> super::functions_of_the_languages_names::filter |> collect() };
        assert_eq!(all, [0, 2, 4]);
    }

    #[test]
    fn parentheses_make_a_source_ones_own() {
        assert_eq!(pipeline! { (range(7)) |> count() }, 3);
    }

    #[test]
    fn they_are_free_outside_of_a_block() {
        let mine = range(1);
        let pipe = tinypl::Pipeline::new(map(tinypl::source(mine), 5));
        assert_eq!(pipe.collect::<Vec<_>>(), [5, 5, 5]);
    }
}

mod in_macros {
    use super::pipeline;

    macro_rules! with_everything {
        ($source:expr, $f:expr, $name:ident, $track:ident, $stage:path, $n:literal, $ty:ty, $($rest:tt)*) => {
            pipeline! {
                let $track = $source |> map($f) |> $name @ marker::insert_periodic($n) |> $stage() |> $($rest)*;
            }
            let $track: Vec<$ty> = $track.collect();
        };
    }

    fn same<P: tinypl::Pipe>(up: P) -> P {
        up
    }

    #[test]
    fn every_kind_of_fragment_passes() {
        with_everything!(vec![1, 2], |x| x + 1, mark, done, same, 2, i64, take(5) |> map(i64::from));
        assert_eq!(done, [2, 3]);
        let _: tinypl::marker::Mark<_> = mark;
    }

    macro_rules! fragments {
        ($block:block, $closure:expr, $pattern:pat, $value:expr, $word:tt, $lifetime:lifetime) => {
            pipeline! {
                $block |> map($closure) |> map(|$pattern| $value) |> marker::insert_periodic() |> partition(2, markers = $word)
                    |> map(|pair: Vec<i32>| $lifetime: { if pair.len() > 1 { break $lifetime pair[1] } 0 }) |> collect::<Vec<i32>>()
            }
        };
    }

    #[test]
    fn so_do_blocks_patterns_words_and_lifetimes() {
        assert_eq!(fragments!({ let n = 3; 0..n }, |x| (x, x), (a, b), a + b, after, 'out), [2, 0]);
    }

    // a variable of the macro's, and one of its caller's with the same name
    macro_rules! plus_one {
        ($source:expr, $f:expr) => {{
            let x = 1;
            pipeline! { $source |> map($f) |> map(|y| y + x) |> collect::<Vec<i32>>() }
        }};
    }

    #[test]
    fn a_macros_variables_are_not_its_callers() {
        let x = 10;
        assert_eq!(plus_one!(0..2, |y| y + x), [11, 12]);
    }

    // handles and tracks with names of the macro's own
    macro_rules! in_order {
        ($source:expr, $f:expr) => {
            pipeline! {
                let all = $source |> o @ order::save(4) |> thread::map($f, workers = 2);
                all |> order::load(o) |> collect::<Vec<i32>>()
            }
        };
    }

    #[test]
    fn a_macros_handles_are_not_its_callers() {
        let (o, all) = (1, 2);
        assert_eq!(in_order!(0..3, move |x| x + o + all), [3, 4, 5]);
        assert_eq!((o, all), (1, 2));
    }

    #[test]
    fn a_block_in_anothers_function_in_a_macro() {
        let by = 2;
        let sums = in_order!(0..4, move |n| in_order!(0..n, move |x| by * x).into_iter().sum::<i32>());
        assert_eq!(sums, [0, 0, 2, 6]);
    }

    macro_rules! whole {
        ($($tokens:tt)*) => { pipeline! { $($tokens)* } };
    }
    macro_rules! twice_whole {
        ($($tokens:tt)*) => { whole! { $($tokens)* } };
    }

    #[test]
    fn a_block_goes_through_two_macros() {
        twice_whole! { let mut a = range(9) |> m @ marker::insert_periodic(3) |> filter(|x| x % 2 == 0); }
        assert_eq!(pipeline! { &mut a |> marker::until(m) |> collect::<Vec<_>>() }, [0, 2]);
        assert_eq!(twice_whole! { a |> map(|x| x * 10) |> collect::<Vec<_>>() }, [40, 60, 80]);
    }

    macro_rules! a_function {
        ($name:ident, $($stages:tt)*) => {
            fn $name(n: i32) -> Vec<i32> {
                pipeline! { range(n) |> $($stages)* |> collect() }
            }
        };
    }
    a_function!(odd, filter(|x| x % 2 == 1));
    a_function!(ordered, o @ order::save(2) |> thread::map(|x| x * x, 2) |> order::load(o));

    #[test]
    fn a_macro_writes_functions() {
        assert_eq!((odd(4), ordered(4)), (vec![1, 3], vec![0, 1, 4, 9]));
    }
}

mod other_crates {
    use super::{pipeline, sum_of, tracks_of};

    /// Passes tinypl on, and a macro that reaches it so.
    mod facade {
        pub mod private {
            pub use tinypl as pipes;
        }
    }
    macro_rules! largest {
        ($source:expr) => {
            pipeline! {
                crate = $crate::other_crates::facade::private::pipes;
                $source |> o @ order::save(3) |> thread::map(|x| x, workers = 1) |> order::load(o) |> fold(i32::MIN, |a, b| a.max(b))
            }
        };
    }

    #[test]
    fn a_macro_names_tinypl_by_its_crates_path() {
        assert_eq!(largest!([3, 7, 5]), 7);
    }

    #[test]
    fn another_crates_macro_needs_no_tinypl_here() {
        mod tinypl {}
        let by = 3;
        assert_eq!(sum_of!(range(4) |> map(|x| by * x)), 18);
        tracks_of!(numbers, odd, marker, 9);
        assert_eq!((numbers.next(), odd.next()), (Some(0), Some(1)));
        assert_eq!(::tinypl::pipeline! { numbers |> marker::until(marker) |> count() }, 1);
    }

    #[test]
    fn tinypl_by_another_name() {
        use tinypl_tests_renamed::pl;
        let all: Vec<i32> = pl::pipeline! {
            crate = pl;
            range(3) |> o @ order::save(4) |> thread::map(|x| x + 1, workers = 1) |> order::load(o) |> zip(pl::pipeline! { crate = pl; range(3) }) |> map(|(a, b)| a * b) |> collect()
        };
        assert_eq!(all, [0, 2, 6]);
        let batches = pl::pipeline! {
            crate = pl;
            dataloader::load([1, 2, 3], 2, sampler = sampler::shuffle(1).epochs(1), map = thread(workers = 1), epoch_end = drop_last)
        };
        assert_eq!(batches.count(), 1);
    }
}

mod nested {
    use super::pipeline;

    #[test]
    fn blocks_in_arguments_options_sources_and_sinks() {
        let n = pipeline! {
            pipeline! { range(6) |> map(|x| x + 1) }
                |> filter(|x| pipeline! { range(*x) |> count() } % 2 == 0)
                |> take(n = pipeline! { range(2) |> count() })
                |> thread::map(|x| pipeline! { range(x) |> thread::map(|y| y + 1, workers = 1) |> fold(0, |a, b| a + b) }, workers = pipeline! { range(2) |> count() })
                |> fold(pipeline! { range(1) |> count() } as i32, |a, b| a + b + pipeline! { range(1) |> fold(0, |a, b| a + b) })
        };
        assert_eq!(n, 1 + 3 + 10);
    }

    #[test]
    fn handles_of_an_outer_block_in_an_inner_one() {
        let all: Vec<usize> = pipeline! {
            range(2) |> q @ thread::queue(workers = 1, maxsize = 3)
                |> map(|_| pipeline! { range(2) |> map(|_| q.maxsize()) |> fold(0, |a, b| a + b) })
                |> collect()
        };
        assert_eq!(all, [6, 6]);
    }

    #[test]
    fn an_inner_handle_hides_an_outer_one() {
        let all: Vec<usize> = pipeline! {
            range(2) |> q @ thread::queue(workers = 1, maxsize = 3)
                |> map(|n| pipeline! { range(n + 1) |> q @ thread::queue(workers = 1, maxsize = 5) |> map(|_| q.maxsize()) |> fold(0, |a, b| a + b) })
                |> map(|sum| sum + q.maxsize())
                |> collect()
        };
        assert_eq!(all, [8, 13]);
    }
}
