//! Corners: references as items, generic functions around a block, an order that crosses blocks, shared tracks with markers.
use tinypl::{Like, Pipe, Pipeline, map, pipeline};
fn evens<'a>(v: &'a [i32]) -> Pipeline<impl tinypl::Plain<Item = &'a i32>> {
    pipeline! { v |> filter(|x| **x % 2 == 0) }
}
fn triple<P: Pipe<Item = i32>>(up: P) -> Pipeline<impl Like<P, Item = i32>> {
    pipeline! { up |> map(|x| 3 * x) }
}
fn generic<I: IntoIterator<Item = T>, T: Clone + Send + 'static>(i: I) -> Vec<T>
where
    I::IntoIter: Send + 'static,
{
    pipeline! { i |> map(|x| x.clone()) |> thread::queue(2) |> collect() }
}
#[test]
fn main() {
    assert_eq!(pipeline! { evens(&[1, 2, 4]) |> partition(2) |> count() }, 1);
    assert_eq!(pipeline! { triple(tinypl::range(0, 3)) |> collect::<Vec<_>>() }, [0, 3, 6]);
    assert_eq!(generic(vec!["a"; 3]).len(), 3);
    // an order saved in one block, loaded in another, with a queue between
    pipeline! { let p = range(9) |> o @ order::save(4) |> map(|x| x + 1); }
    let v: Vec<i32> = pipeline! { p |> thread::map(|x| x * 2, 2) |> order::load(o) |> collect() };
    assert_eq!(v, (1..10).map(|x| 2 * x).collect::<Vec<_>>());
    // two tracks pull one another's markers
    pipeline! {
        let mut a = range(6) |> m @ marker::insert_periodic(2);
        let b = a |> marker::until(m);
        let c = a |> marker::until();
    }
    assert_eq!((b.collect::<Vec<_>>(), c.collect::<Vec<_>>(), a.next()), (vec![0, 1], vec![2, 3], Some(4)));
    let mut v = vec![1, 2, 3];
    pipeline! { v.iter_mut() |> for_each(|x| *x += 1) }
    let text = String::from(" a , b ");
    let t: Vec<&str> = pipeline! { text.split(',') |> map(|s| s.trim()) |> filter(|s| !s.is_empty()) |> collect() };
    assert_eq!(t, ["a", "b"]);
    let r: Result<Vec<i32>, _> = pipeline! { ["1", "x"] |> try_map(|s| s.parse::<i32>()) |> try_collect() };
    println!("{}", r.unwrap_err());
    let parse = |s: &str| s.parse::<i32>().ok();
    let r: Vec<i32> =
        pipeline! { ["1", "x"] |> filter_map(parse) |> filter_map(|x| x.checked_add(1)) |> map(i32::abs) |> collect() };
    assert_eq!(r, [2]);
    let o: Option<Vec<i32>> = pipeline! { ["1", "x"] |> map(parse) |> collect() };
    assert_eq!(o, None);
    let _unused = map(tinypl::range(0, 3), |x| x + 1);
}
