//! Blocks in macros, in other crates, under another name; and names that must not meet.
use tinypl::pipeline;
use tinypl_tests_renamed::{doubled, first_of_each, squares, sum_of};

/// A crate of the user's that passes tinypl on.
mod facade {
    pub mod parts {
        pub use tinypl as pipes;
    }
}

macro_rules! twice {
    ($source:expr) => {
        pipeline! { $source |> map(|x| 2 * x) |> collect::<Vec<_>>() }
    };
}

macro_rules! mapped {
    ($source:expr, $f:expr, $n:literal) => {
        pipeline! { $source |> map($f) |> take($n) |> collect::<Vec<_>>() }
    };
}

macro_rules! tracks {
    ($a:ident, $b:ident, $n:expr) => {
        pipeline! {
            let mut $a = range($n);
            let mut $b = $a |> map(|x| -x);
        }
    };
}

macro_rules! whole {
    ($($tokens:tt)*) => {
        pipeline! { $($tokens)* }
    };
}

macro_rules! own {
    ($source:expr, $stage:path) => {
        pipeline! { $source |> $stage |> count() }
    };
}

#[test]
fn an_expression_comes_from_a_macro() {
    assert_eq!(twice!(1..3), [2, 4]);
    let numbers = vec![1, 2];
    assert_eq!(twice!(&numbers), [2, 4]);
}

#[test]
fn a_function_and_a_literal_come_from_a_macro() {
    assert_eq!(mapped!(0..9, |x: i32| x + 1, 2), [1, 2]);
}

#[test]
fn names_come_from_a_macro() {
    tracks!(numbers, negative, 3);
    assert_eq!((numbers.next(), negative.next()), (Some(0), Some(-1)));
}

#[test]
fn a_whole_block_goes_through_a_macro_which_loses_the_jointness_of_its_pipes() {
    assert_eq!(whole! { range(4) |> filter(|x| x % 2 == 1) |> collect::<Vec<_>>() }, [1, 3]);
    whole! {
        let mut a = range(9) |> m @ marker::insert_periodic(2) |> o @ order::save(3) |> thread::queue(2)
            |> order::load(o);
    }
    assert_eq!(pipeline! { &mut a |> marker::until(m) |> count() }, 2);
}

#[test]
fn a_stages_path_comes_from_a_macro() {
    fn id<P: tinypl::Pipe>(up: P) -> P {
        up
    }
    assert_eq!(own!(0..3, id), 3);
}

#[test]
fn the_crates_path_is_given_by_the_first_piece() {
    let all: Vec<i32> =
        pipeline! { crate = crate::elsewhere::facade::parts::pipes; range(3) |> map(|x| x + 1) |> collect() };
    assert_eq!(all, [1, 2, 3]);
    let all: Vec<i32> = pipeline! { crate = self::facade::parts::pipes; range(3) |> collect() };
    assert_eq!(all, [0, 1, 2]);
    let all: Vec<i32> = pipeline! { crate = ::tinypl; range(3) |> collect() };
    assert_eq!(all, [0, 1, 2]);
}

#[test]
fn another_crates_macro_uses_its_own_tinypl() {
    assert_eq!(squares!([1, 2, 3]), [1, 4, 9]);
    assert_eq!(sum_of!(range(5) |> filter(|x| x % 2 == 1)), 4);
    let by = 10;
    assert_eq!(sum_of!(range(3) |> thread::map(move |x| x * by, workers = 2)), 30);
}

#[test]
fn a_renamed_dependency_works() {
    assert_eq!(doubled(4), [0, 2, 4, 6]);
    assert_eq!(first_of_each(), (Some(0), Some(3)));
}

#[test]
fn the_expansions_names_do_not_meet_the_users() {
    let (f, up, pipe, pred, item, n, pipeline) = (1, 2, 3, 4, 5, 6, 7);
    let all: Vec<i32> = pipeline! { range(2) |> map(|x| x + f + up + pipe) |> filter(|x| *x > pred)
    |> map(|x| x + item + n + pipeline) |> collect() };
    assert_eq!(all, [24, 25]);
}

#[test]
fn the_users_names_for_what_the_expansion_uses_do_no_harm() {
    #[derive(Debug, PartialEq)]
    enum Mine {
        Some(i32),
        None,
    }
    #[expect(
        unused_imports,
        reason = "they stand in the way of an expansion that would write `Some`, `None`, `Option`, `Vec`"
    )]
    use Mine::{None, Some};
    #[expect(dead_code, reason = "it stands in the way")]
    struct Option;
    #[expect(dead_code, reason = "it stands in the way")]
    struct Result;
    mod tinypl {}
    mod core {}
    mod std {}
    let all: Vec<i64> = pipeline! {
        range(9) |> o @ order::save(4) |> filter_map(|x: i32| x.checked_add(1)) |> try_map(i64::try_from)
            |> thread::map(|x| 2 * x, 2)
            |> order::load(o) |> m @ marker::insert_periodic(4) |> marker::until(m) |> collect()
    };
    assert_eq!(all, [2, 4, 6, 8]);
    assert_ne!(Mine::Some(1), Mine::None);
}

/// A literal that a `macro_rules!` passes along is one, for the stream's type and for the macro that judges what stands below.
#[test]
fn a_switch_in_a_macro_of_the_users() {
    macro_rules! consumed {
        ($consume:expr) => {
            pipeline! {
                range(4) |> m @ marker::insert_periodic(2) |> marker::on(|| (), m, consume = $consume) |> partition(3) |> collect()
            }
        };
    }
    let groups: Vec<Vec<i32>> = consumed!(true);
    assert_eq!(groups, [vec![0, 1, 2], vec![3]]);
    let groups: Vec<Vec<i32>> = consumed!((true));
    assert_eq!(groups, [vec![0, 1, 2], vec![3]]);
}
