//! Random moments: workers that are killed, and pipelines that are cut.
use rustix::process::Signal;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::time::Duration;
use tinypl::process::{self, OnDeath};
use tinypl::{Pipe, Pipeline, order, source};
use tinypl_tests::{
    Errand, RECORDS, Random, Scratch, final_outcome, logged, notes, record, rounds, signal_child, tidy, uneven,
    wait_until, work,
};

/// The notes that errands left: an item and the process that it ran in, in the order in which they were begun.
struct Runs(Vec<(u64, u32)>);

impl Runs {
    fn read(dir: &Path) -> Self {
        let parse = |line: String| {
            let (item, pid) = line.split_once(' ').expect("an item and a process");
            (item.parse().expect("a number"), pid.parse().expect("a process id"))
        };
        Self(notes(dir, "runs").into_iter().map(parse).collect())
    }

    /// The processes that each item ran in.
    fn by_item(&self) -> BTreeMap<u64, Vec<u32>> {
        let mut all = BTreeMap::<_, Vec<_>>::new();
        self.0.iter().for_each(|&(item, pid)| all.entry(item).or_default().push(pid));
        all
    }

    /// The items that each process began.
    fn by_process(&self) -> BTreeMap<u32, Vec<u64>> {
        let mut all = BTreeMap::<_, Vec<_>>::new();
        self.0.iter().for_each(|&(item, pid)| all.entry(pid).or_default().push(item));
        all
    }
}

/// Ten thousand items, cheap ones and costly ones; workers are killed from outside all the time. Each comes once, in order.
#[test]
fn killed_at_random_and_in_order() {
    let _tidy = tidy(600);
    let f = |x: u64| {
        work(uneven(x));
        x
    };
    for seed in 0..rounds(3) {
        let mut random = Random::new(seed);
        let workers = 1 + seed as usize % 3;
        let mut saved = order::save(source(0..10_000), random.size(500));
        let saved_order = saved.handle();
        let mut stage = process::map(saved, f).workers(workers).on_death(OnDeath::Retry(20));
        let handle = stage.handle();
        let mut pipe = Pipeline::new(order::load(stage, &saved_order));
        let (mut expected, mut kills) = (0, 0);
        let mut next_kill = random.below(200);
        while let Some(x) = pipe.try_next().unwrap_or_else(|error| panic!("seed {seed}: {error}")) {
            assert_eq!(x, expected, "seed {seed}, after {kills} kills");
            expected += 1;
            if x >= next_kill {
                // each kill is followed by some progress: a stage whose workers do nothing but die gives up
                next_kill = x + 1 + random.below(300);
                let pids = handle.pids();
                if !pids.is_empty() {
                    kills +=
                        u64::from(signal_child(random.one_of(&pids), random.one_of(&[Signal::KILL, Signal::TERM])));
                }
            }
        }
        assert_eq!(expected, 10_000, "seed {seed}, after {kills} kills");
        assert!(kills > 20 && handle.restarts() as u64 <= kills, "{kills} kills, {} restarts", handle.restarts());
    }
}

/// The same without an order, and each run leaves a note: an item runs again, or is left out, only if a worker was killed at it.
#[test]
fn killed_at_random_and_counted() {
    const ITEMS: u64 = 10_000;
    let _tidy = tidy(600);
    record();
    for seed in 0..rounds(4) {
        let scratch = Scratch::new();
        let dir = scratch.dir();
        let skip = seed % 2 == 1;
        let mut random = Random::new(100 + seed);
        RECORDS.lock().unwrap().clear();
        let up = source((0..ITEMS).map(move |n| Errand::new(&dir, n)));
        let (stage, line) = (process::map(up, |errand| errand.run()), line!());
        let mut stage = stage.workers(2).on_death(if skip { OnDeath::Skip } else { OnDeath::Retry(20) });
        let handle = stage.handle();
        let mut pipe = Pipeline::new(stage);
        let mut came = vec![0; ITEMS as usize];
        let mut killed = BTreeSet::new();
        let mut next_kill = random.below(30);
        while let Some(x) = pipe.try_next().unwrap_or_else(|error| panic!("seed {seed}: {error}")) {
            came[x as usize] += 1;
            next_kill = next_kill.saturating_sub(1);
            if next_kill == 0 {
                next_kill = 1 + random.below(60);
                let pids = handle.pids();
                if !pids.is_empty() {
                    let pid = random.one_of(&pids);
                    if signal_child(pid, Signal::KILL) {
                        killed.insert(pid);
                    }
                }
            }
        }
        let runs = Runs::read(&scratch.dir());
        let (by_item, by_process) = (runs.by_item(), runs.by_process());
        // that this run of the item was the end of its worker
        let assert_fatal = |item: u64, pid: &u32| {
            assert!(killed.contains(pid), "seed {seed}: item {item} was lost, and its worker {pid} not killed");
            assert_eq!(
                by_process[pid].last(),
                Some(&item),
                "seed {seed}: worker {pid} began another after item {item}"
            );
        };
        let restarts = handle.restarts();
        assert!(restarts <= killed.len(), "seed {seed}: {restarts} restarts, {} kills", killed.len());
        if skip {
            let missing = came.iter().filter(|n| **n == 0).count();
            assert!(came.iter().all(|n| *n <= 1) && missing <= restarts, "seed {seed}: {missing} of {restarts}");
            // not at all if its worker was killed before its first instruction
            assert!(by_item.values().all(|pids| pids.len() == 1), "seed {seed}");
            let missing: Vec<u64> = (0..ITEMS).filter(|n| came[*n as usize] == 0).collect();
            missing.iter().for_each(|n| by_item.get(n).into_iter().flatten().for_each(|pid| assert_fatal(*n, pid)));
            assert_eq!(missing, left_out(line), "seed {seed}: what is missing, and what the warnings name");
        } else {
            assert!(came.iter().all(|n| *n == 1), "seed {seed}");
            for n in 0..ITEMS {
                let (_last, before) = by_item[&n].split_last().expect("an item that ran");
                before.iter().for_each(|pid| assert_fatal(n, pid));
            }
            let more = runs.0.len() - ITEMS as usize;
            assert!(more <= restarts, "seed {seed}: {more} runs more than items, {restarts} restarts");
        }
    }
}

/// The items that the warnings of the stage at this line name, each as often as they do.
fn left_out(line: u32) -> Vec<u64> {
    let warnings = logged(&[&format!("{}:{line}:", file!()), "it is left out"]);
    let number = |text: &str| {
        let (_, rest) = text.split_once(" item ")?;
        rest.split_once(')')?.0.parse().ok()
    };
    let mut items: Vec<u64> = warnings
        .iter()
        .map(|(_, text)| number(text).unwrap_or_else(|| panic!("the warning names no item: {text}")))
        .collect();
    items.sort_unstable();
    items
}

/// One kill each, at a random moment, and nothing that says what becomes of the item: either it was nobody's, and all is as without it,
/// or the error names the item that the killed worker was at. Nothing runs twice.
#[test]
fn killed_once_at_random() {
    const ITEMS: u64 = 200;
    let _tidy = tidy(600);
    let mut random = Random::new(4);
    let (mut failures, mut begun_ones) = (0, 0);
    let count = rounds(30);
    for round in 0..count {
        let scratch = Scratch::new();
        let dir = scratch.dir();
        let f = |errand: Errand| {
            let n = errand.run();
            work(100);
            n
        };
        let mut stage = process::map(source((0..ITEMS).map(move |n| Errand::new(&dir, n))), f).workers(2);
        let handle = stage.handle();
        let pipe = Pipeline::new(stage);
        let (begun, pause, which) = (random.below(ITEMS), random.below(200), random.below(2));
        let (killed, (mut items, error)) = std::thread::scope(|s| {
            let dir = scratch.dir();
            let killer = s.spawn(move || {
                wait_until(|| notes(&dir, "runs").len() as u64 > begun);
                work(pause);
                handle.pids().get(which as usize).copied().filter(|pid| signal_child(*pid, Signal::KILL))
            });
            let outcome = final_outcome(pipe);
            (killer.join().unwrap(), outcome)
        });
        items.sort_unstable();
        assert!(items.is_sorted_by(|a, b| a < b), "round {round}: one came twice: {items:?}");
        let runs = Runs::read(&scratch.dir());
        let by_item = runs.by_item();
        assert!(by_item.values().all(|pids| pids.len() == 1), "round {round}: {by_item:?}");
        let Some(error) = error else {
            assert!(items.iter().copied().eq(0..ITEMS), "round {round}: {items:?}");
            continue;
        };
        failures += 1;
        assert!(error.message().contains("died at this item"), "round {round}: {error}");
        let bad = error.item().unwrap_or_else(|| panic!("round {round}: it names no item: {error}"));
        assert!(!items.contains(&bad), "round {round}: {bad} came, and {error}");
        let killed = killed.unwrap_or_else(|| panic!("round {round}: nobody was killed, and {error}"));
        assert!(
            error.message().contains(&format!(" {killed} died")),
            "round {round}: {killed} was killed, and {error}"
        );
        let begun = runs.by_process().remove(&killed).unwrap_or_default();
        if by_item.contains_key(&bad) {
            begun_ones += 1;
            assert_eq!(begun.last(), Some(&bad), "round {round}: the worker began {begun:?}, and {error}");
        } else {
            // the worker had it, and was killed before its first instruction: whatever it had begun before was done
            let lost: Vec<_> = begun.iter().filter(|n| !items.contains(n)).collect();
            assert!(lost.is_empty(), "round {round}: {lost:?} did not come, and {error}");
        }
    }
    assert!(
        failures > 0 && begun_ones > 0,
        "in {count} rounds {failures} kills hit an item, {begun_ones} one that ran"
    );
}

/// A thousand pipelines, each cut at another moment: while its workers start, work, wait for room or for items, and end.
#[test]
fn cut_anywhere() {
    let _tidy = tidy(600);
    let mut random = Random::new(2);
    for round in 0..rounds(1000) {
        let (workers, maxsize, window) = (random.size(4), random.size(40), random.size(40));
        let take = random.one_of(&[0, 0, 0, 1, 5, 50, 300]);
        let take = random.below(take + 1) as usize;
        let pause = random.one_of(&[0, 0, 0, 100, 1000, 8000]);
        let pause = random.below(pause + 1);
        let how = random.below(4);
        let end = if random.below(2) == 0 { u64::MAX } else { take as u64 + random.below(20) };
        let f = |x: u64| {
            work(uneven(x) / 3);
            vec![x as u8; if x.is_multiple_of(97) { 1 << 17 } else { 1 }]
        };
        macro_rules! run {
            ($stage:expr) => {{
                let mut pipe = Pipeline::new($stage);
                pipe.by_ref().take(take).for_each(drop);
                work(pause);
                cut(pipe, how);
            }};
        }
        match round % 4 {
            0 | 1 => run!(process::map(source(0..end), f).workers(workers).maxsize(maxsize)),
            2 => {
                let mut saved = order::save(source(0..end), window);
                let saved_order = saved.handle();
                run!(order::load(process::map(saved, f).workers(workers).maxsize(maxsize), &saved_order));
            }
            _ => {
                let above = process::each(source(0..end), |x| work(uneven(*x) / 3)).workers(1).maxsize(maxsize);
                run!(process::map(above, f).workers(workers).maxsize(maxsize).input_maxsize(random.size(9)));
            }
        }
        if round.is_multiple_of(50) {
            assert_eq!(tinypl_tests::children(), Vec::<u32>::new(), "round {round}");
        }
    }
}

/// Brings a pipeline to its end.
fn cut<P: Pipe + Send>(mut pipe: Pipeline<P>, how: u64) {
    match how {
        0 => drop(pipe),
        1 => {
            pipe.stop();
            assert!(matches!(pipe.try_next(), Ok(None)));
        }
        2 => {
            let unwound = catch_unwind(AssertUnwindSafe(|| {
                let _pipe = pipe;
                resume_unwind(Box::new("enough"));
            }));
            assert!(unwound.is_err());
        }
        // by another thread
        _ => std::thread::scope(|s| {
            s.spawn(move || drop(pipe));
        }),
    }
}

/// Its workers are killed, too, at any moment of its life and of its end.
#[test]
fn cut_and_killed() {
    let _tidy = tidy(600);
    let mut random = Random::new(3);
    for round in 0..rounds(100) {
        let workers = random.size(3);
        let f = |x: u64| {
            work(uneven(x));
            x
        };
        let stage = process::map(source(0..), f).workers(workers).on_death(OnDeath::Retry(1000));
        let mut stage = stage.end_timeout(Duration::from_secs(3600));
        let handle = stage.handle();
        let mut pipe = Pipeline::new(stage);
        let take = random.below(200) as usize;
        assert_eq!(pipe.by_ref().take(take).count(), take, "round {round}");
        wait_until(|| handle.workers() > 0);
        let (pause, how) = (random.below(500), random.below(3));
        std::thread::scope(|s| {
            let killer = handle.clone();
            s.spawn(move || {
                work(pause);
                for pid in killer.pids() {
                    signal_child(pid, Signal::KILL);
                }
            });
            work(random.below(500));
            cut(pipe, how);
        });
        assert_eq!((tinypl_tests::children(), handle.workers()), (vec![], 0));
    }
}
