//! 100 million items through queue and order: memory must not grow.
#![forbid(unsafe_code)]

use std::time::Instant;
use tinypl::pipeline;
use tinypl_benches::options::Options;
use tinypl_benches::work::{hash, mix, sum};
use tinypl_benches::{table, usage};

/// What the resident memory may grow by and still be flat: the kernel counts it in batches.
const FLAT: u64 = 1 << 20;

/// Watches the resident memory after the first tenth.
struct Watch {
    all: u64,
    seen: u64,
    early: u64,
    most: u64,
    start: Instant,
}

impl Watch {
    fn new(all: u64) -> Self {
        Self { all, seen: 0, early: 0, most: 0, start: Instant::now() }
    }

    fn item(&mut self) {
        self.seen += 1;
        if self.seen.is_multiple_of(1 << 16) || self.seen == self.all / 10 {
            let now = usage::resident_bytes();
            if self.seen <= self.all / 10 {
                self.early = self.early.max(now);
            } else {
                self.most = self.most.max(now);
            }
        }
    }

    fn row(&self, options: &Options, name: &str) -> Vec<String> {
        assert_eq!(self.seen, self.all, "wrong number of items: {name}");
        let kib = |bytes: u64| (bytes / 1024).to_string();
        let most = self.most.max(self.early);
        vec![
            format!("**{name}**"),
            format!("{:.1}", self.start.elapsed().as_nanos() as f64 / self.all as f64),
            kib(self.early),
            kib(most),
            kib(most - self.early),
            options.verdict(most - self.early <= FLAT),
        ]
    }
}

fn main() {
    let options = Options::start();
    let n: u64 = if options.quick() { 1_000_000 } else { 100_000_000 };
    let title = format!("memory: {} million items", n / 1_000_000);
    if !options.wants(&title) {
        return;
    }
    let mut rows = Vec::new();

    let (mut watch, mut digest) = (Watch::new(n), 0);
    for y in pipeline! { range(n) |> thread::map(mix, workers = 2, maxsize = 1024) } {
        watch.item();
        digest = sum(digest, y);
    }
    rows.push(watch.row(&options, "queue"));
    assert_eq!(digest, (0..n).map(mix).fold(0, sum), "wrong results: queue");

    let (mut watch, mut digest) = (Watch::new(n), 0);
    for y in pipeline! {
        range(n) |> o @ order::save(1024) |> thread::map(mix, workers = 2, maxsize = 1024) |> order::load(o)
    } {
        watch.item();
        digest = hash(digest, y);
    }
    rows.push(watch.row(&options, "queue and order"));
    assert_eq!(digest, (0..n).map(mix).fold(0, hash), "wrong results: queue and order");

    // As many again are filtered out inside the order: their gaps must not pile up either.
    let (mut watch, mut digest) = (Watch::new(n / 2), 0);
    for y in pipeline! {
        range(n) |> o @ order::save(1024) |> filter(|x| x % 2 == 0)
        |> thread::map(mix, workers = 2, maxsize = 1024) |> order::load(o)
    } {
        watch.item();
        digest = hash(digest, y);
    }
    rows.push(watch.row(&options, "queue and order, half filtered out"));
    let kept = (0..n).filter(|x| x % 2 == 0);
    assert_eq!(digest, kept.map(mix).fold(0, hash), "wrong results: half filtered out");

    let head = ["case", "ns/item", "KiB at 10 %", "KiB at most", "growth", "flat"];
    table::print(&title, &head, &rows);
}
