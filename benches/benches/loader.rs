//! The data loader beside torch's, and beside a loop.
#![forbid(unsafe_code)]

use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Instant;
use tinypl_benches::datasets::{Bytes, Dataset, Jpegs, batch};
use tinypl_benches::options::{Options, Python};
use tinypl_benches::ours::loader;
use tinypl_benches::peers::process::python;
use tinypl_benches::race::{Race, Role, Run, Target};
use tinypl_benches::table;
use tinypl_benches::work::steps_per_microsecond;

const OURS: &str = "tinypl, 2 workers";
const SERIAL: &str = "a loop";
const TORCH: &str = "torch's DataLoader, 2 workers";
const TORCH_SERIAL: &str = "torch's DataLoader, no workers";

fn main() {
    let options = Options::start();
    memory(&options);
    work(&options);
    jpegs(&options);
    first_batch(&options);
}

fn memory(options: &Options) {
    const BATCH: usize = 64;
    let bytes = Arc::new(Bytes::new(0));
    let expected = |n| bytes.expected(n, BATCH);
    let mut race = Race::new("loader, 64×64×3 bytes in memory to f32, batches of 64")
        .at_least(16 * BATCH as u64)
        .add(Role::Ours, OURS, expected, |n| loader::load(n, &bytes, BATCH, 2))
        .add(Role::Mark, SERIAL, expected, |n| loader::serial(n, &*bytes, BATCH));
    if let Some(torch) = options.torch() {
        race = race
            .add_timed(Role::Peer, TORCH, expected, |n| run(torch, &["memory", "2"], n))
            .add_timed(Role::Peer, TORCH_SERIAL, expected, |n| run(torch, &["memory", "0"], n))
            .target(Target::Faster(10.0, TORCH))
            .target(Target::Faster(4.0, TORCH_SERIAL));
    }
    race.run(options);
}

/// Enough to share.
fn work(options: &Options) {
    const BATCH: usize = 64;
    const MICROSECONDS: f64 = 50.0;
    let bytes = Arc::new(Bytes::new((MICROSECONDS * steps_per_microsecond()).round() as u64));
    let expected = |n| bytes.expected(n, BATCH);
    Race::new(format!("loader, the same with work of {MICROSECONDS} µs a sample"))
        .at_least(16 * BATCH as u64)
        .longer(4)
        .add(Role::Ours, OURS, expected, |n| loader::load(n, &bytes, BATCH, 2))
        .add(Role::Peer, SERIAL, expected, |n| loader::serial(n, &*bytes, BATCH))
        .target(Target::Faster(1.8, SERIAL))
        .run(options);
}

fn jpegs(options: &Options) {
    const BATCH: usize = 32;
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("photographs");
    let jpegs = Arc::new(Jpegs::new(&folder));
    let folder = folder.to_str().expect("a path that Python gets as it is");
    let mut race = Race::new("loader, JPEGs of 500×375 to 224×224, batches of 32")
        .at_least(if options.quick() { 1 } else { 4 } * BATCH as u64)
        // at the end one worker may have a batch, and the other none
        .longer(16)
        .add(Role::Ours, OURS, Jpegs::expected, |n| loader::load(n, &jpegs, BATCH, 2))
        .add(Role::Mark, SERIAL, Jpegs::expected, |n| loader::serial(n, &*jpegs, BATCH))
        .target(Target::Faster(1.9, SERIAL));
    if let Some(torch) = options.torch() {
        race = race
            .add_timed(Role::Peer, TORCH, Jpegs::expected, move |n| run(torch, &["jpegs", "2", folder], n))
            .add_timed(Role::Peer, TORCH_SERIAL, Jpegs::expected, move |n| run(torch, &["jpegs", "0", folder], n))
            .target(Target::Faster(1.5, TORCH));
    }
    race.run(options);
}

fn run(torch: &Python, args: &[&str], n: u64) -> Run {
    python::run(torch, "torch_loader.py", args, n)
}

/// From nothing to the first batch, against the work that is in the batch itself.
fn first_batch(options: &Options) {
    const BATCH: usize = 64;
    const MOST: f64 = 1e-3;
    let title = "loader, the first batch after it was built";
    if !options.wants(title) {
        return;
    }
    let bytes = Arc::new(Bytes::new(0));
    let check = |batch: Vec<f32>| assert_eq!(bytes.digest(0, &batch), bytes.expected(BATCH as u64, BATCH));
    let (mut first, mut alone, mut warm) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..if options.quick() { 3 } else { 301 } {
        first.push(seconds(|| {
            let mut batches = loader::batches(&bytes, 100 * BATCH, BATCH, 2);
            check(batches.next().expect("a batch"));
            batches // they end after the clock has stopped
        }));
        let dataset = bytes.clone();
        alone.push(seconds(|| {
            check(thread::spawn(move || batch(&*dataset, 0, BATCH)).join().expect("a batch"));
        }));
        warm.push(seconds(|| check(batch(&*bytes, 0, BATCH))));
    }
    let [first, alone, warm] = [first, alone, warm].map(median);
    let row =
        |name: &str, seconds: f64, verdict: String| vec![name.to_owned(), format!("{:.0}", seconds * 1e6), verdict];
    let rows = [
        row("**tinypl, 2 workers**", first, String::new()),
        row("(the batch by a new thread, in new memory)", alone, String::new()),
        row("(the batch in a loop)", warm, String::new()),
        row("target: ≤ 1000 µs more than in a loop", first - warm, options.verdict(first - warm <= MOST)),
    ];
    table::print(title, &["", "µs", "target"], &rows);
}

/// How long `f` takes; what it gives is dropped afterwards.
fn seconds<R>(f: impl FnOnce() -> R) -> f64 {
    let start = Instant::now();
    let _result = f();
    start.elapsed().as_secs_f64()
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
