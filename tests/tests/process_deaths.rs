//! A worker may die at any moment, of anything: the item that it ran is dealt with as `on_death` says, and nothing else is
//! lost, doubled or delayed.
use rustix::process::{Pid, Signal, kill_process};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc;
use std::time::Duration;
use tinypl::process::{self, OnDeath, WorkersHandle};
use tinypl::{Error, Pipe, Pipeline, order, source};
use tinypl_tests::{
    Deed, Errand, RECORDS, Scratch, errands, final_outcome, hold_sockets, lives, logged, note, notes, record, runs_of,
    say_to_parent, signal_child, stands_still, states, tidy, wait_until,
};

/// How a function ends its worker, and what the error says of it.
const ENDS: [(Deed, &str); 6] = [
    (Deed::Kill, "signal: 9 (SIGKILL)"),
    (Deed::Abort, "signal: 6 (SIGABRT)"),
    (Deed::Segfault, "signal: 11 (SIGSEGV)"),
    (Deed::Overflow, "a stack overflow"),
    (Deed::Exit(0), "it exited with status 0"),
    (Deed::Exit(3), "it exited with status 3"),
];

/// Workers that run errands.
#[track_caller]
fn crew<I>(errands: I, workers: usize, policy: OnDeath) -> (Pipeline<impl Pipe<Item = u64>>, WorkersHandle)
where
    I: IntoIterator<Item = Errand, IntoIter: Send + 'static>,
{
    let mut stage = process::map(source(errands), |errand| errand.run()).workers(workers).on_death(policy);
    let handle = stage.handle();
    (Pipeline::new(stage), handle)
}

/// That the error names the stage, where it stands, the item, and says all of this.
#[track_caller]
fn assert_says(error: &Error, line: u32, item: Option<u64>, parts: &[&str]) {
    assert_eq!((error.stage(), error.item(), error.is_panic()), (Some("process::map"), item, false), "{error}");
    let place = error.location().unwrap_or_else(|| panic!("it says no place: {error}"));
    assert_eq!((place.file(), place.line()), (file!(), line), "{error}");
    for part in parts {
        assert!(error.message().contains(part), "{part:?} is not in {error}");
    }
}

/// How often each item below `n` has run.
fn runs(dir: &Path, n: u64) -> Vec<usize> {
    (0..n).map(|i| runs_of(dir, i).len()).collect()
}

/// Once each, but this one so many times.
fn once_but(n: u64, item: u64, times: usize) -> Vec<usize> {
    (0..n).map(|i| if i == item { times } else { 1 }).collect()
}

#[test]
fn fail_reports_the_item_that_ran() {
    let _tidy = tidy(300);
    for (deed, says) in ENDS {
        for (bad, workers) in [(0, 1), (0, 2), (40, 1), (40, 2), (59, 2)] {
            let scratch = Scratch::new();
            let errands = errands(&scratch.dir(), 60, Errand::always(&scratch.dir(), bad, deed));
            let ((pipe, _), line) = (crew(errands, workers, OnDeath::Fail), line!());
            let (items, error) = final_outcome(pipe);
            let error = error.unwrap_or_else(|| panic!("no error of {deed:?} at {bad}"));
            assert_says(
                &error,
                line,
                Some(bad),
                &[
                    "died at this item, of type tinypl_tests::errand::Errand: ",
                    says,
                    "`on_death = retry(1)`",
                    "`on_death = skip`",
                ],
            );
            let runs = runs(&scratch.dir(), 60);
            assert_eq!(runs[bad as usize], 1, "{deed:?} at {bad}: {runs:?}");
            assert!(runs.iter().all(|n| *n < 2), "{deed:?} at {bad}: {runs:?}");
            assert!(items.iter().all(|x| *x != bad && runs[*x as usize] == 1), "{deed:?} at {bad}: {items:?} {runs:?}");
        }
    }
}

#[test]
fn retry_runs_the_item_again_and_no_other() {
    let _tidy = tidy(300);
    for (deed, _) in ENDS {
        for (bad, workers) in [(0, 1), (0, 2), (40, 1), (40, 2), (59, 2)] {
            let scratch = Scratch::new();
            let errands = errands(&scratch.dir(), 60, Errand::once(&scratch.dir(), bad, deed));
            let (pipe, handle) = crew(errands, workers, OnDeath::Retry(1));
            let (mut items, error) = final_outcome(pipe);
            assert!(error.is_none(), "{deed:?} at {bad}: {error:?}");
            items.sort_unstable();
            assert!(items.iter().copied().eq(0..60), "{deed:?} at {bad}: {items:?}");
            assert_eq!(runs(&scratch.dir(), 60), once_but(60, bad, 2), "{deed:?} at {bad}");
            assert_eq!((handle.restarts(), handle.workers()), (1, 0));
        }
    }
}

#[test]
fn retry_has_a_limit() {
    let _tidy = tidy(300);
    for (deed, says) in ENDS {
        for retries in [0, 1, 3] {
            let scratch = Scratch::new();
            let errands = errands(&scratch.dir(), 20, Errand::always(&scratch.dir(), 7, deed));
            let ((pipe, _), line) = (crew(errands, 2, OnDeath::Retry(retries)), line!());
            let error = final_outcome(pipe).1.unwrap_or_else(|| panic!("no error of {deed:?}"));
            let times = format!("this happened {} times, `on_death = retry({retries})`", retries + 1);
            assert_says(&error, line, Some(7), &["died at this item", says, &times]);
            let runs = runs(&scratch.dir(), 20);
            assert_eq!(runs[7], retries as usize + 1, "{deed:?}: {runs:?}");
            assert!(runs.iter().enumerate().all(|(i, n)| i == 7 || *n < 2), "{deed:?}: {runs:?}");
        }
    }
}

/// An item that fails is counted by itself: others have their own retries.
#[test]
fn retries_are_counted_for_each_item() {
    let _tidy = tidy(300);
    let scratch = Scratch::new();
    let dir = scratch.dir();
    let errands: Vec<Errand> = (0..20).map(|n| Errand { times: 2, ..Errand::once(&dir, n, Deed::Kill) }).collect();
    let (pipe, handle) = crew(errands, 2, OnDeath::Retry(2));
    let (mut items, error) = final_outcome(pipe);
    assert!(error.is_none(), "{error:?}");
    items.sort_unstable();
    assert!(items.iter().copied().eq(0..20), "{items:?}");
    assert_eq!(runs(&dir, 20), [3; 20]);
    assert_eq!(handle.restarts(), 40);
}

#[test]
fn skip_leaves_the_item_out_and_no_other() {
    let _tidy = tidy(300);
    record();
    for (deed, says) in ENDS {
        for (bad, workers) in [(0, 1), (0, 2), (40, 1), (40, 2), (59, 2)] {
            let scratch = Scratch::new();
            let errands = errands(&scratch.dir(), 60, Errand::always(&scratch.dir(), bad, deed));
            let ((pipe, handle), line) = (crew(errands, workers, OnDeath::Skip), line!());
            let (mut items, error) = final_outcome(pipe);
            assert!(error.is_none(), "{deed:?} at {bad}: {error:?}");
            items.sort_unstable();
            assert!(items.iter().copied().eq((0..60).filter(|n| *n != bad)), "{deed:?} at {bad}: {items:?}");
            assert_eq!(runs(&scratch.dir(), 60), [1; 60], "{deed:?} at {bad}");
            assert!(handle.restarts() <= 1);
            let warnings = warned(&[&format!("{}:{line}:", file!()), "left out", says, &format!("item {bad})")]);
            assert!(warnings > 0, "no warning of {deed:?} at {bad}: {:?}", RECORDS.lock().unwrap());
        }
    }
}

/// An endless stream of deaths ends, whatever is to become of the items.
#[test]
fn a_function_that_nobody_survives_ends_the_stage() {
    let _tidy = tidy(300);
    for on_death in [OnDeath::Skip, OnDeath::Retry(u32::MAX)] {
        let stage = process::map(source(0_u64..), |_: u64| -> u64 { std::process::exit(1) });
        let error =
            Pipeline::new(stage.workers(2).on_death(on_death)).try_collect::<Vec<_>>().expect_err("nobody lives");
        let says = ["died at this item", "it exited with status 1", "1000 workers in a row", "none has given a result"];
        assert!(says.iter().all(|says| error.message().contains(says)), "{error}");
        assert!(error.item().is_some() && error.location().is_some_and(|at| at.file() == file!()), "{error}");
    }
}

/// All of them, one after the other: that is no stage that can't work, for each death is an item's.
#[test]
fn every_item_may_be_skipped() {
    let _tidy = tidy(300);
    let scratch = Scratch::new();
    let dir = scratch.dir();
    let (pipe, _) = crew((0..30).map(move |n| Errand::always(&dir, n, Deed::Exit(1))), 2, OnDeath::Skip);
    let (items, error) = final_outcome(pipe);
    assert!(error.is_none(), "{error:?}");
    assert_eq!(items, Vec::<u64>::new());
    assert_eq!(runs(&scratch.dir(), 30), [1; 30]);
}

/// Cheap items travel in chunks, and results wait for company: a death in the middle of a chunk loses none of them, and
/// runs none twice.
#[test]
fn results_that_were_finished_before_a_death_count() {
    let _tidy = tidy(300);
    for round in 0..10 {
        let (scratch, bad) = (Scratch::new(), 900 + round);
        let dir = scratch.dir();
        let items = (0..1200).map(move |n| {
            (n, (n > 850).then(|| Errand::once(&dir, n, if n == bad { Deed::Kill } else { Deed::Work })))
        });
        let f = |(n, errand): (u64, Option<Errand>)| errand.map_or(n, |errand| errand.run());
        let workers = 1 + round as usize % 2;
        let mut stage = process::map(source(items), f).workers(workers).maxsize(512).on_death(OnDeath::Retry(1));
        let handle = stage.handle();
        let (mut items, error) = final_outcome(Pipeline::new(stage));
        assert!(error.is_none(), "{error:?}");
        items.sort_unstable();
        assert!(items.iter().copied().eq(0..1200), "{items:?}");
        assert_eq!(runs(&scratch.dir(), 1200)[851..], once_but(1200, bad, 2)[851..]);
        assert_eq!(handle.restarts(), 1);
    }
}

/// The same, and each item that dies leaves no trace of those before it but in the shared page.
#[test]
fn deaths_in_chunks_of_cheap_items() {
    let _tidy = tidy(300);
    let f = |n: u64| {
        if n % 500 == 499 {
            std::process::abort();
        }
        n
    };
    for workers in [1, 2, 3] {
        let stage = process::map(source(0..10_000), f).workers(workers).maxsize(600).on_death(OnDeath::Skip);
        let (mut items, error) = final_outcome(Pipeline::new(stage));
        assert!(error.is_none(), "{error:?}");
        items.sort_unstable();
        assert!(items.iter().copied().eq((0..10_000).filter(|n| n % 500 != 499)));
    }
}

/// What is skipped closes its gap in the order, and what is run again takes its place.
#[test]
fn the_order_survives_deaths() {
    let _tidy = tidy(300);
    for (policy, skipped) in [(OnDeath::Retry(1), false), (OnDeath::Skip, true)] {
        let scratch = Scratch::new();
        let dir = scratch.dir();
        let deed = |n| if n % 10 == 5 { Deed::Kill } else { Deed::Work };
        let mut saved = order::save(source((0..100).map(move |n| Errand::once(&dir, n, deed(n)))), 8);
        let saved_order = saved.handle();
        let stage = process::map(saved, |errand| errand.run()).workers(3).on_death(policy);
        let (items, error) = final_outcome(Pipeline::new(order::load(stage, &saved_order)));
        assert!(error.is_none(), "{error:?}");
        assert!(items.iter().copied().eq((0..100).filter(|n| !skipped || n % 10 != 5)), "{items:?}");
    }
}

/// A process that the function forked lives on, and holds all that the worker had open.
#[test]
fn a_worker_whose_socket_outlives_it() {
    let _tidy = tidy(300);
    let f = |errand: Errand| {
        if runs_of(&errand.dir, 0).is_empty() {
            note(&errand.dir, "holder", hold_sockets().id());
        }
        errand.run()
    };
    for policy in [OnDeath::Fail, OnDeath::Retry(1), OnDeath::Skip] {
        let scratch = Scratch::new();
        let dir = scratch.dir();
        // the last one: until then the socket is held by one that only answers
        let errands = errands(&dir, 30, Errand::once(&dir, 29, Deed::Kill));
        let (stage, line) = (process::map(source(errands), f).workers(1).on_death(policy), line!());
        let (items, error) = final_outcome(Pipeline::new(stage));
        match policy {
            OnDeath::Fail => assert_says(&error.expect("an error"), line, Some(29), &["died at this item", "SIGKILL"]),
            _ => assert!(error.is_none(), "{error:?}"),
        }
        assert_eq!(items.len(), if matches!(policy, OnDeath::Retry(_)) { 30 } else { 29 });
        end_holder(&dir);
    }
    // one that is idle when it dies, and one that ends as it should: nobody waits for its holder
    let scratch = Scratch::new();
    let (feed, numbers) = mpsc::channel();
    let mut stage = process::map(source(numbers), f).workers(1).end_timeout(Duration::from_secs(3600));
    let handle = stage.handle();
    let mut pipe = Pipeline::new(stage);
    for n in 0..2 {
        feed.send(Errand::new(&scratch.dir(), n)).unwrap();
        assert_eq!(pipe.next(), Some(n));
        if n == 0 {
            assert!(signal_child(handle.pids()[0], Signal::KILL));
            wait_until(|| handle.restarts() == 1 && handle.workers() == 1);
            std::fs::remove_file(scratch.dir().join("runs")).unwrap();
        }
    }
    drop(feed);
    assert_eq!(pipe.next(), None);
    drop(pipe);
    end_holder(&scratch.dir());
}

/// Nobody waits for it but who adopted it.
fn end_holder(dir: &Path) {
    for pid in notes(dir, "holder") {
        let pid = Pid::from_raw(pid.parse().expect("a process id")).expect("a process id is not 0");
        kill_process(pid, Signal::KILL).expect("it holds on");
    }
}

/// Nobody's item: whatever `on_death` says, there is nothing to fail, to run again or to leave out.
#[test]
fn a_worker_killed_while_idle_is_replaced() {
    let _tidy = tidy(300);
    record();
    for policy in [OnDeath::Fail, OnDeath::Retry(0), OnDeath::Skip] {
        for signal in [Signal::KILL, Signal::TERM, Signal::SEGV] {
            let scratch = Scratch::new();
            let (feed, numbers) = mpsc::channel();
            let ((mut pipe, handle), line) = (crew(numbers, 2, policy), line!());
            wait_until(|| handle.workers() == 2);
            for round in 0..3 {
                // before the first item, and after some
                let pids = handle.pids();
                assert!(pids.iter().all(|pid| signal_child(*pid, signal)));
                wait_until(|| handle.restarts() == 2 * (round as usize + 1) && handle.workers() == 2);
                assert!(handle.pids().iter().all(|pid| !pids.contains(pid)));
                for n in 10 * round..10 * round + 10 {
                    feed.send(Errand::new(&scratch.dir(), n)).unwrap();
                }
                let mut items: Vec<u64> = (0..10).map(|_| pipe.try_next().unwrap().unwrap()).collect();
                items.sort_unstable();
                assert!(items.into_iter().eq(10 * round..10 * round + 10));
            }
            drop(feed);
            assert!(matches!(pipe.try_next(), Ok(None)));
            assert_eq!(runs(&scratch.dir(), 30), [1; 30]);
            assert!(warned(&[&format!("{}:{line}:", file!()), "the idle worker process"]) > 0);
        }
    }
}

/// The same of its own doing: what an item has left behind ends the worker when nobody has an item there any more.
#[test]
fn a_worker_that_ends_while_idle_is_replaced() {
    let _tidy = tidy(300);
    record();
    for policy in [OnDeath::Fail, OnDeath::Retry(0), OnDeath::Skip] {
        for (deed, says) in ENDS {
            let scratch = Scratch::new();
            let dir = scratch.dir();
            let (feed, errands) = mpsc::channel::<Errand>();
            let (mut stage, line) =
                (process::map(source(errands), |errand| errand.run_first()).workers(1).on_death(policy), line!());
            let handle = stage.handle();
            let mut pipe = Pipeline::new(stage);
            feed.send(Errand::once(&dir, 0, deed)).unwrap();
            assert!(matches!(pipe.try_next(), Ok(Some(0))), "{deed:?}");
            note(&dir, "end", "");
            wait_until(|| handle.restarts() == 1 && handle.workers() == 1);
            feed.send(Errand::new(&dir, 1)).unwrap();
            drop(feed);
            assert!(matches!(pipe.try_next(), Ok(Some(1))), "{deed:?}");
            assert!(matches!(pipe.try_next(), Ok(None)), "{deed:?}");
            assert_eq!((runs(&dir, 2), handle.restarts()), (vec![1; 2], 1), "{deed:?}");
            assert!(warned(&[&format!("{}:{line}:", file!()), "the idle worker process", says]) > 0, "{deed:?}");
        }
    }
}

/// SIGINT is what Ctrl-C sends to all processes of a terminal: the parent decides.
#[test]
fn a_worker_outlives_ctrl_c() {
    let _tidy = tidy(300);
    let scratch = Scratch::new();
    let (feed, numbers) = mpsc::channel();
    let (mut pipe, handle) = crew(numbers, 1, OnDeath::Fail);
    wait_until(|| handle.workers() == 1);
    assert!(signal_child(handle.pids()[0], Signal::INT));
    feed.send(Errand::always(&scratch.dir(), 0, Deed::Wait)).unwrap();
    wait_until(|| runs_of(&scratch.dir(), 0).len() == 1);
    assert!(signal_child(handle.pids()[0], Signal::INT));
    note(&scratch.dir(), "go", "");
    assert_eq!(pipe.next(), Some(0));
    drop(feed);
    assert_eq!((pipe.next(), handle.restarts()), (None, 0));
}

/// An item at which the worker is killed from outside is that item's death.
#[test]
fn a_worker_killed_at_an_item() {
    let _tidy = tidy(300);
    for policy in [OnDeath::Fail, OnDeath::Retry(1), OnDeath::Skip] {
        let scratch = Scratch::new();
        let dir = scratch.dir();
        let ((pipe, _), line) = (crew(errands(&dir, 30, Errand::once(&dir, 12, Deed::Wait)), 2, policy), line!());
        wait_until(|| runs_of(&dir, 12).len() == 1);
        assert!(signal_child(runs_of(&dir, 12)[0], Signal::TERM));
        let (items, error) = final_outcome(pipe);
        match policy {
            OnDeath::Fail => {
                let error = error.expect("an error");
                assert_says(&error, line, Some(12), &["died at this item", "SIGTERM", "somebody asked it to end"]);
            }
            OnDeath::Skip => assert_eq!((items.len(), error.is_none(), runs(&dir, 30)), (29, true, vec![1; 30])),
            _ => assert_eq!((items.len(), error.is_none(), runs(&dir, 30)), (30, true, once_but(30, 12, 2))),
        }
    }
}

/// What is no answer, and what is said of it.
fn nonsense() -> [(Vec<u8>, &'static str); 5] {
    /// `Ready` and `Done`.
    const READY: u8 = 4;
    const DONE: u8 = 6;
    let frame = |kind: u8, number: u64| [&9_u32.to_le_bytes()[..], &[kind], &number.to_le_bytes()].concat();
    [
        (vec![255; 100], "a frame of 4294967295 bytes is over the limit"),
        (vec![0; 100], "a frame of 0 bytes is too short"),
        (frame(77, 0), "no frame of kind 77"),
        (frame(READY, 0), "a frame of kind Ready is out of place"),
        (frame(DONE, 1000), "an answer to the item 1000, which it was not given"),
    ]
}

/// Says something to the parent, and then runs.
fn say_and_run((says, errand): (Vec<u8>, Errand)) -> u64 {
    if !says.is_empty() {
        say_to_parent(&says);
    }
    errand.run()
}

/// No item can be trusted to a worker that says what is no answer, and no item is to blame: whatever `on_death` says the stage fails, and
/// the worker goes, even if it is still at work, or has died meanwhile.
#[test]
fn a_worker_that_talks_out_of_turn() {
    let _tidy = tidy(300);
    for (says, because) in nonsense() {
        for (policy, deed, bad) in [
            (OnDeath::Fail, Deed::Spin, 0),
            (OnDeath::Retry(1), Deed::Stop, 40),
            (OnDeath::Skip, Deed::Spin, 59),
            (OnDeath::Fail, Deed::Exit(0), 40),
            (OnDeath::Retry(1), Deed::Kill, 40),
            (OnDeath::Skip, Deed::Abort, 59),
        ] {
            let scratch = Scratch::new();
            let dir = scratch.dir();
            let errands = errands(&dir, 60, Errand::always(&dir, bad, deed)).into_iter();
            let items: Vec<_> =
                errands.map(|errand| (if errand.n == bad { says.clone() } else { Vec::new() }, errand)).collect();
            let (stage, line) = (process::map(source(items), say_and_run).workers(2).on_death(policy), line!());
            let (mut items, error) = final_outcome(Pipeline::new(stage));
            let error = error.unwrap_or_else(|| panic!("no error of {because:?}, {deed:?}"));
            assert_says(&error, line, None, &["sent what is no answer", because]);
            assert!(runs(&dir, 60).iter().all(|n| *n <= 1), "{because}, {deed:?}: {:?}", runs(&dir, 60));
            items.sort_unstable();
            assert!(items.is_sorted_by(|a, b| a < b) && !items.contains(&bad), "{because}, {deed:?}: {items:?}");
        }
    }
}

/// It goes on as if nothing had happened; but for the item that is never finished, the parent may have read no further than it has to.
#[test]
fn a_worker_that_talks_out_of_turn_and_goes_on() {
    let _tidy = tidy(300);
    for (says, because) in nonsense() {
        for bad in [0, 40] {
            let scratch = Scratch::new();
            let dir = scratch.dir();
            let errands = errands(&dir, 60, Errand::always(&dir, 59, Deed::Spin)).into_iter();
            let items: Vec<_> =
                errands.map(|errand| (if errand.n == bad { says.clone() } else { Vec::new() }, errand)).collect();
            let (stage, line) = (process::map(source(items), say_and_run).workers(2), line!());
            let (mut items, error) = final_outcome(Pipeline::new(stage.end_timeout(Duration::from_millis(50))));
            let error = error.unwrap_or_else(|| panic!("no error of {because:?}"));
            assert_says(&error, line, None, &["sent what is no answer", because]);
            items.sort_unstable();
            assert!(items.is_sorted_by(|a, b| a < b), "{because}: {items:?}");
        }
    }
}

/// As many in a row as can't be chance are a stage that can't work: it fails, and does not start workers for ever.
#[test]
fn idle_workers_that_keep_dying() {
    let _tidy = tidy(300);
    let (feed, numbers) = mpsc::channel::<Errand>();
    let ((mut pipe, handle), line) = (crew(numbers, 1, OnDeath::Retry(1000)), line!());
    let killer = std::thread::spawn(move || {
        for n in 0..8 {
            wait_until(|| handle.restarts() == n && handle.workers() == 1);
            assert!(signal_child(handle.pids()[0], Signal::KILL));
        }
        // not before the last one was buried: the end would come first
        wait_until(|| handle.workers() == 0);
        drop(feed);
        handle
    });
    let error = pipe.try_next().expect_err("it can't work");
    assert_says(&error, line, None, &["8 in a row", "SIGKILL"]);
    let handle = killer.join().unwrap();
    assert_eq!((handle.restarts(), handle.workers()), (7, 0));
}

/// A context that ends whoever decodes it.
#[derive(Clone, Copy)]
struct Poison(i32);

impl Serialize for Poison {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Poison {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match i32::deserialize(deserializer)? {
            -1 => std::process::abort(),
            status => std::process::exit(status),
        }
    }
}

#[test]
fn workers_that_die_before_they_are_ready() {
    let _tidy = tidy(300);
    for (poison, says) in [(Poison(-1), "SIGABRT"), (Poison(0), "status 0"), (Poison(5), "status 5")] {
        for workers in [1, 3] {
            let (stage, line) = (process::map_with(source(0..9_u64), poison, |_, x| x).workers(workers), line!());
            let (items, error) = final_outcome(Pipeline::new(stage));
            let error = error.expect("an error");
            assert_eq!((items.len(), error.stage(), error.item()), (0, Some("process::map_with"), None), "{error}");
            assert_eq!(error.location().map(|at| at.line()), Some(line));
            assert!(error.message().contains("die before they are ready, 8 in a row"), "{error}");
            assert!(error.message().contains(says), "{error}");
        }
    }
}

/// A context that runs an errand where it is decoded.
#[derive(Clone, Serialize)]
struct Ordeal {
    errand: Errand,
    /// Not before this item has run.
    after: Option<u64>,
}

/// The number of its errand: no item has it.
const ORDEAL: u64 = 1000;

impl<'de> Deserialize<'de> for Ordeal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (errand, after) = <(Errand, Option<u64>)>::deserialize(deserializer)?;
        if after.is_none_or(|n| !runs_of(&errand.dir, n).is_empty()) {
            errand.run();
        }
        Ok(Self { errand, after })
    }
}

/// As long as it is not too many in a row, nothing is lost with them.
#[test]
fn a_worker_that_dies_while_it_starts_is_replaced() {
    let _tidy = tidy(300);
    for (deed, _) in ENDS {
        for (times, workers) in [(1, 1), (7, 1), (7, 2)] {
            let scratch = Scratch::new();
            let dir = scratch.dir();
            let ordeal = Ordeal { errand: Errand { times, ..Errand::once(&dir, ORDEAL, deed) }, after: None };
            let items: Vec<Errand> = (0..60).map(|n| Errand::new(&dir, n)).collect();
            let mut saved = order::save(source(items), 8);
            let saved_order = saved.handle();
            let mut stage = process::map_with(saved, ordeal, |_, errand: Errand| errand.run()).workers(workers);
            let handle = stage.handle();
            let pipe = Pipeline::new(order::load(stage, &saved_order));
            // the order holds back most items: one worker does not end the stage while the other one still starts
            wait_until(|| handle.workers() == workers);
            let starts = runs_of(&dir, ORDEAL).len();
            // of two that start together the first may count the second, too, and live
            assert!((times + 1..=times + workers).contains(&starts), "{deed:?}: {starts}");
            let (items, error) = final_outcome(pipe);
            assert!(error.is_none(), "{deed:?}: {error:?}");
            assert!(items.iter().copied().eq(0..60), "{deed:?}: {items:?}");
            assert_eq!(runs(&dir, 60), [1; 60], "{deed:?}");
            assert_eq!(runs_of(&dir, ORDEAL).len(), starts, "{deed:?}");
        }
    }
}

/// So are those that are to take a dead one's place: the item that it died of waits for one that lives.
#[test]
fn a_replacement_that_dies_while_it_starts_is_replaced() {
    let _tidy = tidy(300);
    for (deed, _) in ENDS {
        for (policy, times) in [(OnDeath::Retry(1), 2), (OnDeath::Skip, 1)] {
            let scratch = Scratch::new();
            let dir = scratch.dir();
            let errand = Errand { times: 7, ..Errand::once(&dir, ORDEAL, deed) };
            let mut saved = order::save(source(errands(&dir, 60, Errand::once(&dir, 40, deed))), 8);
            let saved_order = saved.handle();
            let f = |_: &Ordeal, errand: Errand| errand.run();
            let stage = process::map_with(saved, Ordeal { errand, after: Some(40) }, f);
            let mut stage = stage.workers(1).on_death(policy);
            let handle = stage.handle();
            let (items, error) = final_outcome(Pipeline::new(order::load(stage, &saved_order)));
            assert!(error.is_none(), "{deed:?}: {error:?}");
            assert!(items.iter().copied().eq((0..60).filter(|n| times == 2 || *n != 40)), "{deed:?}: {items:?}");
            assert_eq!(runs(&dir, 60), once_but(60, 40, times), "{deed:?}");
            assert_eq!((runs_of(&dir, ORDEAL).len(), handle.restarts()), (8, 1), "{deed:?}");
        }
    }
}

/// Whether decoding a [`Slow`] waits in this process; in a worker it never does.
static HELD: AtomicBool = AtomicBool::new(false);
static DECODING: AtomicBool = AtomicBool::new(false);

/// A result whose decoding holds up who reads from the worker.
struct Slow(Vec<u8>);

impl Serialize for Slow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Slow {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = <&[u8]>::deserialize(deserializer)?;
        DECODING.store(true, SeqCst);
        wait_until(|| !HELD.load(SeqCst));
        if bytes.is_empty() {
            return Err(D::Error::custom("nothing"));
        }
        Ok(Self(bytes.to_vec()))
    }
}

/// While the first result is decoded nobody reads, so the second one, which is large, gets stuck on its way; then the worker
/// ends.
#[test]
fn a_worker_that_ends_with_a_half_written_reply() {
    const LARGE: usize = 8 << 20;
    let _tidy = tidy(300);
    let policies = [OnDeath::Fail, OnDeath::Retry(1), OnDeath::Skip];
    for (policy, (deed, says)) in policies.into_iter().flat_map(|policy| ENDS.map(|end| (policy, end))) {
        let scratch = Scratch::new();
        let dir = scratch.dir();
        HELD.store(true, SeqCst);
        DECODING.store(false, SeqCst);
        let f = |(size, errand): (usize, Errand)| {
            let bytes = vec![errand.run_first() as u8; size];
            note(&errand.dir, "done", errand.n);
            Slow(bytes)
        };
        let errands = errands(&dir, 4, Errand::once(&dir, 1, deed)).into_iter();
        let items: Vec<_> = errands.map(|errand| (if errand.n == 1 { LARGE } else { 1 }, errand)).collect();
        let (mut stage, line) = (process::map(source(items), f).workers(1).on_death(policy), line!());
        let handle = stage.handle();
        let pipe = Pipeline::new(stage);
        wait_until(|| DECODING.load(SeqCst) && notes(&dir, "done").len() == 2);
        let pid = handle.pids()[0];
        // it sleeps when no more of the reply fits; the third thread is who waits for the note
        wait_until(|| states(pid) == ['S', 'S', 'S']);
        note(&dir, "end", "");
        wait_until(|| !lives(pid));
        HELD.store(false, SeqCst);
        let (items, error) = final_outcome(pipe);
        let sizes: Vec<usize> = items.iter().map(|slow| slow.0.len()).collect();
        let numbers: Vec<u8> = items.iter().map(|slow| slow.0[slow.0.len() - 1]).collect();
        match policy {
            OnDeath::Fail => {
                assert_says(&error.expect("an error"), line, Some(1), &["died at this item", says]);
                assert_eq!((numbers, runs(&dir, 4)), (vec![0], vec![1, 1, 0, 0]));
            }
            OnDeath::Skip => {
                assert!(error.is_none(), "{error:?}");
                assert_eq!((sizes, numbers, runs(&dir, 4)), (vec![1; 3], vec![0, 2, 3], vec![1; 4]));
            }
            _ => {
                assert!(error.is_none(), "{error:?}");
                assert_eq!((sizes, numbers), (vec![1, LARGE, 1, 1], vec![0, 1, 2, 3]));
                assert_eq!(runs(&dir, 4), [1, 2, 1, 1]);
            }
        }
    }
}

/// The parent is in the middle of writing an item when its worker goes: that item was never started.
#[test]
fn a_worker_killed_with_a_half_written_item() {
    const LARGE: usize = 8 << 20;
    let _tidy = tidy(300);
    for policy in [OnDeath::Fail, OnDeath::Retry(0), OnDeath::Skip] {
        let (feed, items) = mpsc::channel::<String>();
        let mut stage = process::map(source(items), |text| text.len()).workers(1).on_death(policy);
        let handle = stage.handle();
        let mut pipe = Pipeline::new(stage);
        wait_until(|| handle.workers() == 1);
        feed.send("x".repeat(10)).unwrap();
        assert_eq!(pipe.next(), Some(10));
        let pid = handle.pids()[0];
        assert!(signal_child(pid, Signal::STOP));
        wait_until(|| stands_still(pid));
        feed.send("x".repeat(LARGE)).unwrap();
        // the thread that writes sleeps when no more of it fits
        feed.send("x".repeat(5)).unwrap();
        tinypl_tests::linger();
        assert!(signal_child(pid, Signal::KILL));
        drop(feed);
        let mut sizes: Vec<usize> = pipe.collect();
        sizes.sort_unstable();
        assert_eq!((sizes, handle.restarts()), (vec![5, LARGE], 1));
    }
}

/// How many warnings contain all of this.
fn warned(parts: &[&str]) -> usize {
    logged(parts).iter().filter(|(level, _)| *level == log::Level::Warn).count()
}
