//! Who waits sleeps: an idle pipeline uses no CPU. That is measured as CPU time (a busy machine makes it no more), each case
//! in a process of its own.
use std::hint::black_box;
use std::sync::mpsc;
use std::thread::sleep;
use std::time::Duration;
use tinypl::process;
use tinypl::{Pipeline, Plain, pipeline, source};
use tinypl_tests::{Gate, Ledger, child, cpu_millis, cpu_millis_of, is_child, skipped, wait_until, watchdog};

const HOUR: Duration = Duration::from_secs(3600);

/// In a process of its own: `idle` sets the pipeline up, waits until it rests, and calls what it is given; that second may
/// not cost more than a few wake-ups.
#[track_caller]
fn uses_no_cpu(test: &str, idle: impl FnOnce(&dyn Fn())) {
    nor_do_its_workers(test, |rest| idle(&|| rest(&[])));
}

/// The same, and `idle` says whose second that is to be, too: these processes'.
#[track_caller]
fn nor_do_its_workers(test: &str, idle: impl FnOnce(&dyn Fn(&[u32]))) {
    if is_child(test) {
        let _watchdog = watchdog(60);
        return idle(&|workers| {
            // what has just begun to wait may look around a little
            sleep(Duration::from_millis(100));
            let Some(before) = cpu_millis() else {
                return skipped("CPU time can't be measured here, there is no /proc/self/stat");
            };
            let workers_before: Vec<u64> = workers.iter().map(|pid| used_by(*pid)).collect();
            sleep(Duration::from_secs(1));
            let used = cpu_millis().unwrap_or(before) - before;
            assert!(used < 50, "{used} ms of CPU time in a second of rest");
            for (pid, before) in workers.iter().zip(workers_before) {
                let used = used_by(*pid) - before;
                assert!(used < 50, "{used} ms of CPU time of the worker {pid} in a second of rest");
            }
        });
    }
    let output = child(test).output().expect("the test runs itself");
    let errors = String::from_utf8_lossy(&output.stderr);
    print!("{errors}");
    assert!(output.status.success(), "{errors}");
}

/// There is one: worker processes exist on Linux alone.
fn used_by(worker: u32) -> u64 {
    cpu_millis_of(worker).expect("an idle worker lives")
}

#[test]
fn a_measure_of_work_shows_it() {
    let test = "a_measure_of_work_shows_it";
    if is_child(test) {
        let Some(before) = cpu_millis() else { return };
        while cpu_millis().is_some_and(|now| now < before + 100) {
            black_box(before);
        }
        return;
    }
    let _watchdog = watchdog(60);
    assert!(child(test).status().expect("the test runs itself").success());
}

/// The measure of a worker: it works for as long, and the parent waits.
#[test]
fn a_measure_of_a_workers_work_shows_it() {
    let _watchdog = watchdog(60);
    let f = |mut x: u64| {
        let before = cpu_millis();
        while cpu_millis() < before.map(|before| before + 100) {
            x = black_box(x);
        }
        x
    };
    let (feed, numbers) = mpsc::channel();
    let mut stage = process::map(source(numbers), f).workers(1);
    let handle = stage.handle();
    let mut pipe = Pipeline::new(stage);
    wait_until(|| handle.workers() == 1);
    let pid = handle.pids()[0];
    let before = used_by(pid);
    feed.send(7).unwrap();
    assert_eq!(pipe.next(), Some(7));
    let used = used_by(pid) - before;
    assert!(used >= 90, "{used} ms of 100");
    drop(feed);
    assert_eq!(pipe.next(), None);
}

/// Workers wait for the source and for one another, the consumer for them.
#[test]
fn on_a_blocked_source() {
    uses_no_cpu("on_a_blocked_source", |rest| {
        let (feed, numbers) = mpsc::channel();
        let mut pipe = pipeline! { numbers |> thread::map(|x: u64| x + 1, workers = 4, maxsize = 100) };
        // some have flowed, so nobody is new to it
        for x in 0..1000 {
            feed.send(x).unwrap();
            assert_eq!(pipe.next(), Some(x + 1));
        }
        std::thread::scope(|s| {
            let consumer = s.spawn(|| pipe.next());
            rest();
            drop(feed);
            assert_eq!(consumer.join().unwrap(), None);
        });
    });
}

#[test]
fn on_a_full_queue() {
    uses_no_cpu("on_a_full_queue", |rest| {
        let ledger = Ledger::new();
        let mut pipe = pipeline! { ledger.source(u64::MAX, true) |> thread::queue(workers = 4, maxsize = 100) };
        for _ in 0..10_000 {
            ledger.next(&mut pipe);
        }
        wait_until(|| ledger.ahead() >= 104 - 6);
        rest();
        drop(pipe);
    });
}

#[test]
fn on_a_full_window() {
    uses_no_cpu("on_a_full_window", |rest| {
        let ledger = Ledger::new();
        let mut pipe = pipeline! {
            ledger.source(u64::MAX, true) |> o @ order::save(10) |> thread::queue(workers = 4, maxsize = 100)
                |> thread::queue(workers = 2, maxsize = 100) |> order::load(o)
        };
        for _ in 0..1000 {
            ledger.next(&mut pipe);
        }
        wait_until(|| ledger.ahead() == 10);
        rest();
        drop(pipe);
    });
}

/// The oldest item is slow: all others are done, the window is full, the consumer waits for the one.
#[test]
fn on_a_slow_item_of_an_order() {
    uses_no_cpu("on_a_slow_item_of_an_order", |rest| {
        let gate = Gate::new();
        let wait = gate.clone();
        let f = move |x: u64| {
            if x == 500 {
                wait.pass();
            }
            x
        };
        let pipe = pipeline! { range(5000) |> o @ order::save(50) |> thread::map(f, workers = 3) |> order::load(o) };
        std::thread::scope(|s| {
            let consumer = s.spawn(|| pipe.count());
            wait_until(|| gate.waiting() == 1);
            rest();
            gate.open();
            assert_eq!(consumer.join().unwrap(), 5000);
        });
    });
}

/// Tracks wait for their turn at a shared upstream, stacked queues for what is above and below them.
#[test]
fn on_shared_tracks_and_stacked_queues() {
    uses_no_cpu("on_shared_tracks_and_stacked_queues", |rest| {
        let (feed, numbers) = mpsc::channel::<u64>();
        // fed: a track can be made while another one pulls
        (0..3).for_each(|x| feed.send(x).unwrap());
        pipeline! {
            let base = numbers |> thread::queue(workers = 2, maxsize = 8) |> share();
            let one = base |> thread::queue(workers = 3, maxsize = 8) |> thread::queue(workers = 2, maxsize = 8);
        }
        let two = base.clone();
        let three = base.clone();
        drop(base);
        std::thread::scope(|s| {
            let counts = [s.spawn(|| one.count()), s.spawn(|| two.count()), s.spawn(|| three.count())];
            rest();
            drop(feed);
            let total: usize = counts.into_iter().map(|count| count.join().unwrap()).sum();
            assert_eq!(total, 3);
        });
    });
}

#[test]
fn on_a_rate_limit() {
    uses_no_cpu("on_a_rate_limit", |rest| {
        let mut pipe = pipeline! { range(100) |> ratelimit(5, HOUR) |> thread::queue(workers = 3) };
        assert_eq!(pipe.by_ref().take(5).count(), 5);
        rest();
        pipe.stop();
    });
}

/// One that warns, and one that nobody pulls any more after its end.
#[test]
fn with_a_warning_and_after_the_end() {
    uses_no_cpu("with_a_warning_and_after_the_end", |rest| {
        let (feed, numbers) = mpsc::channel::<u64>();
        let limit = Duration::from_millis(50);
        let mut waits = pipeline! { numbers |> thread::queue(workers = 2, warn_timeout = limit) };
        fn ended() -> Pipeline<impl Plain<Item = u64>> {
            pipeline! { range(3) |> thread::queue(workers = 2) }
        }
        let ended = ended();
        std::thread::scope(|s| {
            let consumer = s.spawn(|| waits.next());
            rest();
            drop(feed);
            assert_eq!(consumer.join().unwrap(), None);
        });
        assert_eq!(ended.count(), 3);
    });
}

#[test]
fn with_many_workers() {
    uses_no_cpu("with_many_workers", |rest| {
        let ledger = Ledger::new();
        let pipe = pipeline! { ledger.source(u64::MAX, false) |> thread::queue(workers = 64, maxsize = 64) };
        wait_until(|| ledger.ahead() == 128);
        rest();
        drop(pipe);
    });
}

/// Worker processes wait for items, the parent's threads for the source and for workers, the consumer for all of them.
#[test]
fn on_a_blocked_source_of_worker_processes() {
    nor_do_its_workers("on_a_blocked_source_of_worker_processes", |rest| {
        let (feed, numbers) = mpsc::channel();
        let mut stage = process::map(source(numbers), |x: u64| x + 1).workers(3).maxsize(100);
        let handle = stage.handle();
        let mut pipe = Pipeline::new(stage);
        wait_until(|| handle.workers() == 3);
        // some have flowed, so nobody is new to it
        for x in 0..1000 {
            feed.send(x).unwrap();
            assert_eq!(pipe.next(), Some(x + 1));
        }
        std::thread::scope(|s| {
            let consumer = s.spawn(|| pipe.next());
            rest(&handle.pids());
            assert_eq!(handle.workers(), 3);
            drop(feed);
            assert_eq!(consumer.join().unwrap(), None);
        });
    });
}

/// Nobody takes the results: worker processes wait for room for more.
#[test]
fn on_a_full_queue_of_worker_processes() {
    nor_do_its_workers("on_a_full_queue_of_worker_processes", |rest| {
        let mut stage = process::map(source(0_u64..), |x| x + 1).workers(2).maxsize(10);
        let handle = stage.handle();
        let mut pipe = Pipeline::new(stage);
        wait_until(|| handle.workers() == 2);
        assert_eq!(pipe.by_ref().take(1000).count(), 1000);
        wait_until(|| handle.fill() == 10);
        rest(&handle.pids());
        assert_eq!((handle.workers(), handle.fill()), (2, 10));
        drop(pipe);
    });
}
