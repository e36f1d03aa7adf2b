//! A program for hosts that run no constructors. `tests/process_starts.rs` runs it, once so changed that none are run.
use std::env;
use tinypl::pipeline;

fn main() {
    // a worker is started without arguments
    if env::args().nth(1).as_deref() != Some("forgetful") {
        tinypl::init();
    }
    let squares = pipeline! { range(4) |> process::map(|x: i32| x * x, workers = 1) |> try_collect::<Vec<_>>() };
    println!("{}", squares.map_or_else(|error| error.to_string(), |squares| format!("{squares:?}")));
}
