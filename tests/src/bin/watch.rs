//! Pipelines with a view of their figures, which are told what to do by lines on stdin. `tests/watch.rs` runs it.
//!
//! The first argument is the time between two frames, in milliseconds; each other one names a pipeline.
use std::env::args;
use std::io::{stderr, stdin};
use std::mem::forget;
use std::panic::catch_unwind;
use std::process::exit;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;
use tinypl::{Pipe, Pipeline, Watch, pipeline};

type Items = Box<dyn Iterator<Item = usize>>;

static FAILS: AtomicBool = AtomicBool::new(false);

fn decode(x: usize) -> usize {
    assert!(!FAILS.load(SeqCst), "on purpose, in a worker");
    x
}

fn a_function_whose_name_is_longer_than_a_column_of_the_table_should_be(x: usize) -> usize {
    x
}

fn a_function_that_fails_and_whose_name_is_longer_than_a_column_of_the_table(x: usize) -> usize {
    assert!(x < 50, "on purpose");
    x
}

fn 画像を読み込む(x: usize) -> usize {
    x
}

fn main() {
    let period = args().nth(1).expect("a period").parse().map(Duration::from_millis).expect("milliseconds");
    let (mut pipes, mut views): (Vec<Option<Items>>, Vec<Option<Watch>>) =
        args().skip(2).map(|name| pipe(&name, period)).unzip();
    let mut lines = stdin().lines().map(|line| line.expect("a line"));
    while let Some(line) = lines.next() {
        let (word, rest) = line.split_once(' ').unwrap_or((&line, ""));
        match word {
            "pull" => {
                let n = rest.parse().expect("a number");
                for pipe in pipes.iter_mut().flatten() {
                    pipe.by_ref().take(n).for_each(drop);
                }
            }
            // whoever ends the pipeline prints at once, as a program does after its loop
            "end" => {
                pipes.clear();
                println!("{rest}");
            }
            "close" => views[rest.parse::<usize>().expect("a number")] = None,
            "every" => {
                let period = rest.parse().map(Duration::from_millis).expect("milliseconds");
                views[0] = views[0].take().map(|view| view.every(period));
            }
            "print" => views[0].as_ref().expect("a view").suspend(|| println!("{rest}")),
            "lend" => lend(period, || lines.next()),
            // nobody else may print any more
            "hold" => forget(stderr().lock()),
            "fail" => FAILS.store(true, SeqCst),
            "caught" => drop(catch_unwind(|| panic!("{rest}"))),
            "panic" => panic!("{rest}"),
            "exit" => exit(7),
            _ => panic!("what is {line}?"),
        }
    }
}

/// A view of a pipeline that is borrowed to its end, and stays.
fn lend(period: Duration, mut next: impl FnMut() -> Option<String>) {
    let mut pipe = pipeline! { range(20) |> thread::queue(workers = 2) };
    let _view = pipe.monitor().watch().every(period);
    let n = pipeline! { &mut pipe |> map(decode) |> count() };
    println!("{n} {}", next().unwrap_or_default());
}

fn pipe(name: &str, period: Duration) -> (Option<Items>, Option<Watch>) {
    match name {
        "short" => watched(period, pipeline! { range(1000) |> thread::map(decode, workers = 2, maxsize = 8) }),
        "wide" => watched(
            period,
            pipeline! {
                range(1000)
                |> map(a_function_whose_name_is_longer_than_a_column_of_the_table_should_be)
                |> map(画像を読み込む)
                |> thread::queue(workers = 2, maxsize = 8)
            },
        ),
        "long" => watched(
            period,
            pipeline! {
                range(1000) |> map(decode) |> map(decode) |> map(decode) |> map(decode) |> map(decode) |> map(decode)
                |> map(decode) |> map(decode) |> map(decode) |> map(decode) |> map(decode) |> map(decode) |> map(decode)
                |> map(decode) |> map(decode) |> map(decode) |> map(decode) |> map(decode) |> map(decode) |> map(decode)
                |> map(decode) |> map(decode) |> map(decode) |> map(decode) |> map(decode) |> map(decode) |> map(decode)
                |> thread::queue(workers = 1, maxsize = 8)
            },
        ),
        "bar" => watched(period, pipeline! { range(1000) |> thread::map(decode, workers = 2) |> progress("items") }),
        "failing" => watched(
            period,
            pipeline! {
                range(1000)
                |> map(a_function_that_fails_and_whose_name_is_longer_than_a_column_of_the_table)
                |> thread::queue(workers = 1, maxsize = 8)
            },
        ),
        _ => panic!("what is {name}?"),
    }
}

fn watched(period: Duration, mut pipe: Pipeline<impl Pipe<Item = usize> + 'static>) -> (Option<Items>, Option<Watch>) {
    let view = pipe.monitor().watch().every(period);
    (Some(Box::new(pipe)), Some(view))
}
