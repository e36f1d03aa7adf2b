//! Nothing is pulled before somebody asks, and no more than was asked for.
use std::cell::RefCell;
use std::time::Duration;
use tinypl::{Pipeline, pipeline};

/// A source that must not be pulled.
fn never<T>() -> impl Iterator<Item = T> {
    std::iter::from_fn(|| panic!("pulled before anybody asked"))
}

/// Whatever may be done to a pipeline without asking it for an item.
fn untouched<P: tinypl::Pipe>(pipe: Pipeline<P>) {
    let _ = pipe.size_hint();
    let moved = Box::new(pipe);
    drop(moved);
}

/// A test for each stage: it is built upon a source that panics, in one block, in two, and in tracks.
macro_rules! lazy {
    ($($name:ident: $item:ty => [$($stage:tt)*])*) => {$(
        #[test]
        fn $name() {
            untouched(pipeline! { never::<$item>() |> $($stage)* });
            let first = pipeline! { never::<$item>() };
            untouched(pipeline! { first |> $($stage)* });
            let mut first = pipeline! { never::<$item>() };
            untouched(pipeline! { &mut first |> $($stage)* });
            pipeline! {
                let shared = never::<$item>();
                let below = shared |> $($stage)*;
            }
            untouched(below);
            untouched(shared);
        }
    )*};
}

lazy! {
    a_source: i32 => [map(|x| x)]
    map: i32 => [map(|x| x + 1)]
    each: i32 => [each(|_| ())]
    filter: i32 => [filter(|x| *x > 0)]
    filter_map: i32 => [filter_map(|x| x.checked_add(1))]
    try_map: i32 => [try_map(Ok::<_, String>)]
    take: i32 => [take(1)]
    skip: i32 => [skip(1)]
    enumerate: i32 => [enumerate()]
    zip: i32 => [zip(never::<i32>())]
    chain: i32 => [chain(never::<i32>())]
    flatten: Vec<i32> => [flatten()]
    flatten_eager: Vec<i32> => [flatten_eager()]
    partition: i32 => [partition(2)]
    ratelimit: i32 => [ratelimit(1, Duration::from_secs(1))]
    share: i32 => [share()]
    print_on_item: i32 => [debug::print_on_item("never")]
    insert_periodic: i32 => [marker::insert_periodic(1, after = false)]
    mutex: i32 => [thread::mutex()]
    order: i32 => [o @ order::save(1) |> order::load(o)]
    nested_orders: i32 => [o @ order::save(1) |> p @ order::save(1) |> order::load(p) |> order::load(o)]
    markers: i32 => [m @ marker::insert_periodic(1) |> marker::on(|| (), m) |> marker::until(m)]
    consumed_markers: i32 => [m @ marker::insert_periodic(1) |> marker::on(|| (), m, consume = true) |> partition(1)]
    groups_with_markers: i32 => [marker::insert_periodic(1) |> partition(2, markers = before)]
}

#[test]
fn by_ref() {
    let mut pipe = pipeline! { never::<i32>() };
    untouched(pipe.by_ref());
    pipe.stop();
}

#[test]
fn shared_tracks() {
    pipeline! {
        let a = never::<i32>();
        let b = a |> map(|x| x);
        let c = b |> zip(a);
        let d = c |> share();
    }
    untouched(d.clone());
    untouched(d);
    untouched(c);
    untouched(b);
    untouched(a);
}

/// A chain over `0..`, asked for so many items: what the source gave.
macro_rules! pulled_for {
    ($asked:expr, $($stage:tt)*) => {{
        let given = RefCell::new(vec![]);
        let mut pipe = pipeline! { 0.. |> each(|x| given.borrow_mut().push(*x)) |> $($stage)* };
        let asked: usize = $asked;
        for _ in 0..asked {
            pipe.next();
        }
        drop(pipe);
        given.into_inner().len()
    }};
}

#[test]
fn one_item_is_pulled_for_each_that_is_asked_for() {
    assert_eq!(pulled_for!(3, map(|x| x)), 3);
    assert_eq!(pulled_for!(3, each(|_| ())), 3);
    assert_eq!(pulled_for!(3, try_map(Ok::<_, String>)), 3);
    assert_eq!(pulled_for!(3, enumerate()), 3);
    assert_eq!(pulled_for!(3, zip(0..)), 3);
    assert_eq!(pulled_for!(3, chain(0..)), 3);
    assert_eq!(pulled_for!(3, ratelimit(9, Duration::from_millis(1))), 3);
    assert_eq!(pulled_for!(3, share()), 3);
    assert_eq!(pulled_for!(3, thread::mutex()), 3);
    assert_eq!(pulled_for!(3, marker::insert_periodic(1)), 3);
    assert_eq!(pulled_for!(3, marker::insert_periodic(1, after = false)), 3);
    assert_eq!(pulled_for!(3, o @ order::save(1) |> order::load(o)), 3);
    assert_eq!(pulled_for!(3, o @ order::save(9) |> order::load(o)), 3);
}

#[test]
fn a_filter_pulls_until_it_finds_one() {
    assert_eq!(pulled_for!(2, filter(|x| x % 3 == 2)), 6);
    assert_eq!(pulled_for!(2, filter_map(|x| (x % 3 == 2).then_some(x))), 6);
}

#[test]
fn take_pulls_no_more_than_it_gives() {
    assert_eq!(pulled_for!(9, take(2)), 2);
    let none = 0;
    assert_eq!(pulled_for!(9, take(none)), 0);
}

#[test]
fn skip_pulls_what_it_skips_when_it_is_asked() {
    assert_eq!(pulled_for!(0, skip(5)), 0);
    assert_eq!(pulled_for!(1, skip(5)), 6);
}

#[test]
fn partition_pulls_a_group_at_a_time() {
    assert_eq!(pulled_for!(2, partition(4)), 8);
}

#[test]
fn flatten_pulls_an_item_when_the_last_one_is_used_up() {
    assert_eq!(pulled_for!(3, map(|x| [x, x]) |> flatten()), 2);
    assert_eq!(pulled_for!(3, map(|x| [x, x]) |> flatten_eager()), 2);
}

#[test]
fn until_pulls_no_more_than_its_marker() {
    assert_eq!(pulled_for!(9, m @ marker::insert_periodic(2) |> marker::until(m)), 2);
}

#[test]
fn zip_pulls_its_other_only_for_an_item_of_the_upstream() {
    let other = RefCell::new(0);
    let counted = std::iter::repeat_with(|| *other.borrow_mut() += 1);
    assert_eq!(pipeline! { range(2) |> zip(counted) |> count() }, 2);
    assert_eq!(*other.borrow(), 2);
}

#[test]
fn chain_pulls_its_other_only_after_the_upstream() {
    let mut pipe = pipeline! { range(2) |> chain(never::<i32>()) };
    assert_eq!((pipe.next(), pipe.next()), (Some(0), Some(1)));
}

#[test]
fn a_range_is_not_walked_before_it_is_pulled() {
    assert_eq!(pipeline! { range(u64::MAX) |> take(2) |> collect::<Vec<_>>() }, [0, 1]);
    assert_eq!(pipeline! { range(0, u64::MAX, 3) |> take(2) |> collect::<Vec<_>>() }, [0, 3]);
}
