//! CPU used while nothing can move: a source that waits, a queue or a window that is full.
#![forbid(unsafe_code)]

use crossbeam_channel::{Receiver, Sender, bounded};
use pariter::IteratorExt;
use std::thread;
use std::time::{Duration, Instant};
use tinypl::pipeline;
use tinypl_benches::options::Options;
use tinypl_benches::work::sum;
use tinypl_benches::{table, usage};

/// CPU milliseconds a second that count as none: what it takes to look.
const NONE: f64 = 0.5;

struct Waits {
    options: Options,
    rows: Vec<Vec<String>>,
}

impl Waits {
    /// Measures from now on, while all threads that the case needs are asleep or ought to be.
    fn watch(&mut self, name: &str, ours: bool) {
        let quick = self.options.quick();
        // Whatever is on its way to sleep gets there.
        thread::sleep(Duration::from_millis(if quick { 20 } else { 500 }));
        let sleeps = usage::sleeps();
        let (cpu, start) = (usage::cpu_seconds(), Instant::now());
        thread::sleep(Duration::from_millis(if quick { 20 } else { 3000 }));
        let (cpu, seconds) = (usage::cpu_seconds() - cpu, start.elapsed().as_secs_f64());
        let cpu = cpu * 1e3 / seconds;
        let sleeps = (usage::sleeps() - sleeps) as f64 / seconds;
        self.rows.push(vec![
            if ours { format!("**{name}**") } else { name.into() },
            format!("{cpu:.2}"),
            format!("{sleeps:.0}"),
            if ours { self.options.verdict(cpu <= NONE) } else { String::new() },
        ]);
    }

    /// A source that gives 100 items and then waits; `receive` passes them all on.
    fn blocked_source(&mut self, name: &str, ours: bool, receive: impl FnOnce(Receiver<u64>) -> u64 + Send + 'static) {
        let (tx, rx) = bounded(100);
        (0..100).for_each(|x| tx.send(x).expect("the receiver lives"));
        let consumer = thread::spawn(move || receive(rx));
        self.watch(name, ours);
        drop(tx);
        assert_eq!(consumer.join().expect("no panic"), 4950, "wrong results: {name}");
    }
}

fn main() {
    let options = Options::start();
    if !options.wants("waiting") {
        return;
    }
    let mut waits = Waits { options, rows: Vec::new() };

    waits.blocked_source("tinypl, blocked source", true, |rx| {
        pipeline! { rx |> thread::map(|x: u64| x, workers = 2, maxsize = 16) |> fold(0, sum) }
    });
    waits.blocked_source("tinypl, blocked source, 64 workers", true, |rx| {
        pipeline! { rx |> thread::map(|x: u64| x, workers = 64, maxsize = 128) |> fold(0, sum) }
    });
    waits.blocked_source("tinypl, blocked source, ordered", true, |rx| {
        pipeline! {
            rx |> o @ order::save(16) |> thread::map(|x: u64| x, workers = 2, maxsize = 16) |> order::load(o)
            |> fold(0, sum)
        }
    });
    waits.blocked_source("tinypl, blocked source, two queues", true, |rx| {
        pipeline! {
            rx |> thread::map(|x: u64| x, workers = 2, maxsize = 16)
            |> thread::map(|x: u64| x, workers = 2, maxsize = 16) |> fold(0, sum)
        }
    });

    let full = pipeline! { range(1000u64) |> thread::map(|x: u64| x, workers = 2, maxsize = 16) };
    waits.watch("tinypl, full queue", true);
    assert_eq!(full.fold(0, sum), 499_500);

    let full = pipeline! {
        range(1000u64) |> thread::map(|x: u64| x, workers = 2, maxsize = 16)
        |> thread::map(|x: u64| x, workers = 2, maxsize = 16)
    };
    waits.watch("tinypl, two full queues", true);
    assert_eq!(full.fold(0, sum), 499_500);

    let (go, gate): (Sender<()>, _) = bounded(0);
    let consumer = thread::spawn(move || {
        let held = move |x: u64| {
            if x == 0 {
                // An error: the sender is gone, and this item may go on.
                let _ = gate.recv();
            }
            x
        };
        pipeline! {
            range(1000u64) |> o @ order::save(16) |> thread::map(held, workers = 2, maxsize = 16) |> order::load(o)
            |> fold(0, sum)
        }
    });
    waits.watch("tinypl, order's window full behind one item", true);
    drop(go);
    assert_eq!(consumer.join().expect("no panic"), 499_500);

    waits.blocked_source("pariter, blocked source", false, |rx| {
        rx.into_iter().parallel_map_custom(|o| o.threads(2).buffer_size(16), |x: u64| x).fold(0, sum)
    });
    waits.blocked_source("crossbeam fan-out, fan-in, blocked source", false, |items| {
        let (tx, rx) = bounded(16);
        for _ in 0..2 {
            let (items, tx) = (items.clone(), tx.clone());
            thread::spawn(move || items.into_iter().for_each(|x| tx.send(x).expect("the receiver lives")));
        }
        drop(tx);
        rx.into_iter().fold(0, sum)
    });

    let head = ["waiting", "CPU ms/s", "sleeps/s", "no CPU"];
    table::print("waiting", &head, &waits.rows);
    println!("no CPU: at most {NONE} ms a second; sleeps/s counts the times that a thread went to sleep again\n");
}
