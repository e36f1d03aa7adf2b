// What the checks of `range`, `try_map`, `map_init` and of closures leave for rustc to infer.
#![deny(warnings)]

use tinypl::pipeline;

fn main() {
    let n = "9".parse().unwrap();
    assert_eq!(pipeline! { range(n) |> count() }, 9);
    assert_eq!(pipeline! { range("1".parse().unwrap(), 9) |> map(|x| x * n) |> count() }, 8);
    assert_eq!(pipeline! { range(0, 9_u8 as _, 3) |> map(|x: u16| x) |> fold(0, |a, b| a + b) }, 9);

    let mut seen = Vec::new();
    let kept: usize = pipeline! { vec![Some(1), None] |> map(|x: Option<_>| { seen.push(x); x }) |> filter(|x: &Option<_>| x.is_some()) |> count() };
    assert_eq!((kept, seen), (1, vec![Some(1), None]));
    let below = pipeline! { vec![vec![n]] |> map(|x: Vec<_>| x.len()) |> each(|x: &_| assert_eq!(*x, 1)) |> thread::queue(workers = 1) |> count() };
    assert_eq!(below, 1);

    let parsed = pipeline! { ["1", "2"] |> try_map(|s| { let x = s.parse::<i32>()?; Ok::<_, Box<dyn std::error::Error + Send + Sync>>(x) }) |> try_collect::<Vec<_>>() };
    assert_eq!(parsed.unwrap(), [1, 2]);
    let states = pipeline! { ["a"] |> thread::map_init(Vec::new, |all, x| { all.push(x); all.len() }, workers = 1) |> collect::<Vec<_>>() };
    assert_eq!(states, [1]);
}
