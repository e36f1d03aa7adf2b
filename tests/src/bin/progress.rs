//! Pipelines with progress bars, which are told what to do by lines on stdin. `tests/progress.rs` runs it.
//!
//! An argument `LABEL=LENGTH` makes a pipeline of so many items, `LABEL=?` one of unknown length; they are called 0, 1, ….
use std::env::args;
use std::io::{stderr, stdin};
use std::thread;
use tinypl::stages::ProgressHandle;
use tinypl::{Error, pipeline};

type Pipe = Box<dyn Iterator<Item = usize>>;

fn main() -> Result<(), Error> {
    let (mut pipes, handles): (Vec<Option<Pipe>>, Vec<ProgressHandle>) = args().skip(1).map(|arg| pipe(&arg)).unzip();
    let mut held = None;
    for line in stdin().lines() {
        let line = line.expect("a line");
        let (word, rest) = line.split_once(' ').unwrap_or((&line, ""));
        let which = || rest.parse::<usize>().expect("the number of a pipeline");
        match word {
            "pull" => drop(pipes[which()].as_mut().and_then(Iterator::next)),
            "drop" => pipes[which()] = None,
            "print" => handles[0].suspend(|| println!("{rest}")),
            "hold" => held = Some(stderr().lock()),
            "release" => held = None,
            "panic" => panic!("{rest}"),
            "fail" => fail(rest)?,
            "thread" => drop(thread::spawn(fails_in_a_thread).join()),
            "queue" => queue(which()),
            "process" => processes(),
            "pull-suspended" => {
                // no lock is held meanwhile, so this does not wait for itself
                handles[0].suspend(|| while pipes[which()].as_mut().and_then(Iterator::next).is_some() {});
            }
            _ => panic!("what is {line}?"),
        }
    }
    drop(held);
    Ok(())
}

fn pipe(arg: &str) -> (Option<Pipe>, ProgressHandle) {
    let (label, length) = arg.rsplit_once('=').expect("LABEL=LENGTH");
    let label = label.to_owned();
    if length == "?" {
        pipeline! { let pipe = (0..).filter(|_| true) |> p @ progress(label); }
        (Some(Box::new(pipe)), p)
    } else {
        let length: usize = length.parse().expect("a length");
        pipeline! { let pipe = range(length) |> p @ progress(label); }
        (Some(Box::new(pipe)), p)
    }
}

fn fail(label: &str) -> Result<(), Error> {
    let one = |x| if x == 1 { Err("1 is one") } else { Ok(x) };
    pipeline! { range(3) |> try_map(one) |> progress(label) |> try_collect::<Vec<_>>() }.map(drop)
}

/// A panic of a worker while its bar is up.
fn fails_in_a_thread() {
    let stuck = |x: usize| if x == 1 { panic!("in a worker") } else { x };
    let result = pipeline! {
        range(3) |> progress("above") |> map(stuck) |> thread::queue(workers = 1) |> try_collect::<Vec<_>>()
    };
    assert!(result.is_err());
}

/// A worker's own bars would be drawn into those of this process.
#[cfg(target_os = "linux")]
fn processes() {
    let inner = |x: usize| pipeline! { range(x) |> progress("inner") |> count() };
    let sum: usize = pipeline! { range(9) |> process::map(inner, workers = 2) |> progress("outer") }.sum();
    assert_eq!(sum, 36);
}

#[cfg(not(target_os = "linux"))]
fn processes() {}

fn queue(n: usize) {
    let sum: usize = pipeline! {
        range(n) |> progress("above") |> thread::queue(workers = 2) |> progress("below") |> fold(0, |sum, x| sum + x)
    };
    assert_eq!(sum, n * (n - 1) / 2);
}
