//! Functions that take and give pipelines.
use tinypl::{Like, Pipe, Pipeline, Plain, pipeline};
use tinypl_tests::signals;

fn numbers(n: i32) -> Pipeline<impl Plain<Item = i32>> {
    pipeline! { range(n) |> map(|x| x + 1) }
}

fn anything() -> Pipeline<impl Pipe<Item = i32>> {
    pipeline! { range(10) |> map(|x| x + 1) }
}

fn evens(of: &[i32]) -> Pipeline<impl Plain<Item = &i32>> {
    pipeline! { of |> filter(|x| **x % 2 == 0) }
}

fn triple<P: Pipe<Item = i32>>(up: P) -> Pipeline<impl Like<P, Item = i32>> {
    pipeline! { up |> map(|x| 3 * x) }
}

fn cloned<I: IntoIterator<Item = T>, T: Clone + Send + 'static>(items: I) -> Vec<T>
where
    I::IntoIter: Send + 'static,
{
    pipeline! { items |> map(|x| x.clone()) |> thread::queue(2) |> collect() }
}

fn total<P: Pipe<Item = i32>>(mut pipe: Pipeline<P>) -> i32 {
    pipeline! { &mut pipe |> fold(0, |a, b| a + b) }
}

#[test]
fn a_plain_pipeline_goes_on_with_every_stage() {
    let all: Vec<_> = pipeline! { numbers(5) |> partition(2) |> collect() };
    assert_eq!(all, [vec![1, 2], vec![3, 4], vec![5]]);
    let all: Vec<i32> = pipeline! { numbers(9) |> o @ order::save(2) |> thread::mutex() |> thread::queue(2)
    |> order::load(o) |> collect() };
    assert_eq!(all, (1..10).collect::<Vec<_>>());
}

#[test]
fn a_plain_pipeline_may_borrow() {
    assert_eq!(pipeline! { evens(&[1, 2, 4]) |> partition(2) |> collect::<Vec<_>>() }, [[&2, &4]]);
}

#[test]
fn a_pipeline_of_which_only_the_item_is_known_goes_on_too() {
    assert_eq!(pipeline! { anything() |> map(|x| 2 * x) |> fold(0, |a, b| a + b) }, 110);
    assert_eq!(pipeline! { anything() |> thread::mutex() |> thread::queue(2) |> count() }, 10);
}

#[test]
fn like_passes_on_what_passes_through() {
    assert_eq!(signals(triple(pipeline! { range(3) |> marker::insert_periodic(2) }.into_pipe())), "0 3 * 6");
    assert_eq!(pipeline! { triple(tinypl::range(0, 3)) |> collect::<Vec<_>>() }, [0, 3, 6]);
    pipeline! { let saved = range(9) |> o @ order::save(3); }
    let all: Vec<i32> =
        pipeline! { triple(saved.into_pipe()) |> thread::mutex() |> thread::queue(2) |> order::load(o) |> collect() };
    assert_eq!(all, (0..9).map(|x| 3 * x).collect::<Vec<_>>());
}

#[test]
fn a_generic_function_builds_a_pipeline_of_its_argument() {
    assert_eq!(cloned(vec!["a"; 3]).len(), 3);
    assert_eq!(cloned(0..5).len(), 5);
}

#[test]
fn a_pipeline_is_an_argument() {
    assert_eq!(total(pipeline! { range(4) }), 6);
    assert_eq!(total(numbers(4)), 10);
}

#[test]
fn a_pipeline_is_kept_in_a_struct_as_an_iterator() {
    struct Feed {
        next: Box<dyn Iterator<Item = i32>>,
    }
    let mut feed = Feed { next: Box::new(pipeline! { range(9) |> filter(|x| x % 2 == 1) }) };
    assert_eq!((feed.next.next(), feed.next.next()), (Some(1), Some(3)));
}

#[test]
fn the_second_half_stands_in_another_block_and_below_a_queue() {
    let first = pipeline! { range(10) |> map(|x| x + 1) |> filter(|x| *x > 2) };
    let sum = pipeline! { first |> thread::queue(2) |> fold(0, |a, b| a + b) };
    assert_eq!(sum, 52);
}

#[test]
fn an_order_saved_in_one_block_is_loaded_in_another() {
    pipeline! { let first = range(9) |> o @ order::save(4) |> map(|x| x + 1); }
    let second = pipeline! { first |> thread::map(|x| 2 * x, workers = 2) |> order::load(o) };
    assert_eq!(second.collect::<Vec<_>>(), (1..10).map(|x| 2 * x).collect::<Vec<_>>());
}

#[test]
fn a_marker_inserted_in_one_block_is_watched_in_another() {
    pipeline! { let first = range(4) |> m @ marker::insert_periodic(2); }
    let mut seen = 0;
    let second: Vec<i32> = pipeline! { first |> map(|x| x + 1) |> marker::on(|| seen += 1, m) |> collect() };
    assert_eq!((second, seen), (vec![1, 2, 3, 4], 2));
}

#[test]
fn a_marker_is_waited_for_through_a_mutable_reference() {
    pipeline! { let mut pipe = range(5) |> m @ marker::insert_periodic(2); }
    let one: Vec<_> = pipeline! { &mut pipe |> marker::until(m) |> collect::<Vec<_>>() };
    let two: Vec<_> = pipeline! { &mut pipe |> marker::until(m) |> collect::<Vec<_>>() };
    let rest: Vec<_> = pipeline! { &mut pipe |> marker::until(m) |> collect::<Vec<_>>() };
    assert_eq!((one, two, rest), (vec![0, 1], vec![2, 3], vec![4]));
}
