//! Workers that don't come back: `item_timeout`, `start_timeout`, `end_timeout`, and what happens without them.
use rustix::process::{Signal, getpid, kill_process};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;
use tinypl::process::{self, OnDeath};
use tinypl::{Pipe, Pipeline, source};
use tinypl_tests::{
    Deed, Errand, RECORDS, Scratch, await_note, children, errands, logged, note, notes, outcome, record, resident,
    runs_of, signal_child, stands_still, tidy, wait_until,
};

const SOON: Duration = Duration::from_millis(50);
const HOUR: Duration = Duration::from_secs(3600);
/// More than fits into a socket.
const LARGE: usize = 16 << 20;

fn run(errand: Errand) -> u64 {
    errand.run()
}

#[test]
fn an_item_that_takes_too_long_is_a_death() {
    let _tidy = tidy(300);
    for deed in [Deed::Spin, Deed::Wait, Deed::Stop] {
        for policy in [OnDeath::Fail, OnDeath::Retry(1), OnDeath::Skip] {
            let scratch = Scratch::new();
            let dir = scratch.dir();
            let items = errands(&dir, 20, Errand::once(&dir, 7, deed));
            let (stage, line) =
                (process::map(source(items), run).workers(2).on_death(policy).item_timeout(2 * SOON), line!());
            let mut stage = stage;
            let handle = stage.handle();
            let (items, error) = outcome(&mut Pipeline::new(stage));
            match (policy, error) {
                (OnDeath::Fail, Some(error)) => {
                    assert_eq!((error.item(), error.location().map(|at| at.line())), (Some(7), Some(line)), "{error}");
                    assert!(
                        error.message().contains("it took longer than `item_timeout`, 100ms, and was killed"),
                        "{error}"
                    );
                    assert!(error.message().contains("`on_death = retry(1)`"), "{error}");
                    assert_eq!(runs_of(&dir, 7).len(), 1);
                }
                (OnDeath::Retry(_), None) => {
                    assert_eq!((items.len(), runs_of(&dir, 7).len(), handle.restarts()), (20, 2, 1));
                }
                (OnDeath::Skip, None) => {
                    assert!(!items.contains(&7) && handle.restarts() <= 1, "{items:?}");
                    assert_eq!((items.len(), runs_of(&dir, 7).len()), (19, 1));
                }
                (policy, error) => panic!("{deed:?}, {policy:?}: {error:?}"),
            }
        }
    }
}

/// The limit is an item's, not a chunk's, nor the time that nothing is there to do.
#[test]
fn many_items_may_take_longer_than_one() {
    let _tidy = tidy(300);
    let (feed, numbers) = mpsc::channel();
    let f = |x: u64| {
        std::thread::sleep(Duration::from_millis(2));
        x
    };
    let stage = process::map(source(numbers), f).workers(2).item_timeout(Duration::from_secs(2)).maxsize(2000);
    let mut pipe = Pipeline::new(stage);
    (0..1000).for_each(|x| feed.send(x).unwrap());
    assert_eq!(pipe.by_ref().take(1000).count(), 1000);
    std::thread::sleep(Duration::from_millis(2100));
    (0..10).for_each(|x| feed.send(x).unwrap());
    drop(feed);
    assert_eq!(pipe.count(), 10);
}

/// Stopped while idle, then given items that it never starts: they go to its successor, and that is no item's death.
#[test]
fn a_worker_that_was_stopped_while_idle() {
    let _tidy = tidy(300);
    for size in [1, LARGE] {
        let (feed, items) = mpsc::channel::<Blob>();
        let mut stage =
            process::map(source(items), |bytes| bytes.0.len()).workers(1).item_timeout(Duration::from_secs(1));
        let handle = stage.handle();
        let mut pipe = Pipeline::new(stage);
        feed.send(Blob(vec![0; 10])).unwrap();
        assert_eq!(pipe.next(), Some(10));
        assert!(signal_child(handle.pids()[0], Signal::STOP));
        wait_until(|| stands_still(handle.pids()[0]));
        feed.send(Blob(vec![0; size])).unwrap();
        drop(feed);
        assert_eq!((pipe.next(), pipe.next(), handle.restarts()), (Some(size), None, 1));
    }
}

/// Bytes that serde takes as such, not one by one.
struct Blob(Vec<u8>);

impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&[u8]>::deserialize(deserializer).map(|bytes| Self(bytes.to_vec()))
    }
}

/// An item that is large by what it carries, and which may stop its worker in the middle of the one after it.
#[derive(Serialize, Deserialize)]
struct Parcel {
    dir: PathBuf,
    n: u64,
    bytes: Blob,
}

/// Its worker stops when a large item has begun to come: on the way to it stands the very thread that took its last answer.
fn stop_at_the_next(parcel: Parcel) -> u64 {
    note(&parcel.dir, "runs", format_args!("{} {}", parcel.n, std::process::id()));
    if parcel.n == 0 {
        await_note(&parcel.dir, "go");
        let pid = std::process::id();
        let before = resident(pid);
        std::thread::spawn(move || {
            while resident(pid) < before + LARGE / 8 {
                std::hint::spin_loop();
            }
            kill_process(getpid(), Signal::STOP).expect("a process may stop itself");
        });
    }
    parcel.n
}

fn parcels(dir: &Path) -> Vec<Parcel> {
    let parcel = |n| Parcel { dir: dir.to_owned(), n, bytes: Blob(vec![0; if n == 1 { LARGE } else { 1 }]) };
    (0..3).map(parcel).collect()
}

#[test]
fn a_worker_that_was_stopped_while_it_read_an_item() {
    let _tidy = tidy(300);
    let scratch = Scratch::new();
    let stage = process::map(source(parcels(&scratch.dir())), stop_at_the_next).workers(1).maxsize(9);
    let mut stage = stage.item_timeout(Duration::from_secs(3)).on_death(OnDeath::Retry(1));
    let handle = stage.handle();
    let mut pipe = Pipeline::new(stage);
    // the large item has to wait until the worker is idle
    wait_until(|| runs_of(&scratch.dir(), 0).len() == 1 && handle.input_fill() > 0);
    note(&scratch.dir(), "go", "");
    let (mut items, error) = outcome(&mut pipe);
    drop(pipe);
    assert!(error.is_none(), "{error:?}");
    items.sort_unstable();
    assert_eq!((items, handle.restarts()), (vec![0, 1, 2], 1));
    assert_eq!(runs_of(&scratch.dir(), 0).len(), 1);
}

#[test]
fn a_stop_while_a_stopped_worker_reads_an_item() {
    let _tidy = tidy(300);
    for hurried in [false, true] {
        let scratch = Scratch::new();
        let stage = process::map(source(parcels(&scratch.dir())), stop_at_the_next).workers(1).maxsize(9);
        let mut stage = stage.end_timeout(SOON);
        let handle = stage.handle();
        let pipe = Pipeline::new(stage);
        wait_until(|| runs_of(&scratch.dir(), 0).len() == 1 && handle.input_fill() > 0);
        note(&scratch.dir(), "go", "");
        wait_until(|| children().iter().any(|pid| stands_still(*pid)));
        cut(pipe, hurried);
        assert_eq!(children(), Vec::<u32>::new());
    }
}

/// Drops it, or has a panic drop it.
fn cut<P: Pipe>(pipe: Pipeline<P>, by_panic: bool) {
    let unwound = catch_unwind(AssertUnwindSafe(|| {
        let _pipe = pipe;
        if by_panic {
            resume_unwind(Box::new("enough"));
        }
    }));
    assert_eq!(unwound.is_err(), by_panic);
}

/// Without a limit for items the stop has one.
#[test]
fn a_stop_kills_who_does_not_end() {
    let _tidy = tidy(300);
    record();
    for deed in [Deed::Spin, Deed::Wait, Deed::Stop] {
        for stopped in [false, true] {
            let scratch = Scratch::new();
            let dir = scratch.dir();
            let (source_dir, n) = (dir.clone(), 1000);
            let items = (0..n).map(move |n| Errand::always(&source_dir, n, if n == 3 { deed } else { Deed::Work }));
            let (stage, line) = (process::map(source(items), run).workers(2).end_timeout(SOON), line!());
            let mut pipe = Pipeline::new(stage);
            wait_until(|| runs_of(&dir, 3).len() == 1);
            if stopped {
                pipe.stop();
                assert!(matches!(pipe.try_next(), Ok(None)), "what was killed is not left behind");
            } else {
                drop(pipe);
            }
            assert_eq!(children(), Vec::<u32>::new());
            let warned =
                logged(&[&format!("{}:{line}:", file!()), "still at its item 50ms after the stop, and was killed"])
                    .len();
            assert_eq!(warned, 1, "{:?}", RECORDS.lock().unwrap());
            RECORDS.lock().unwrap().clear();
        }
    }
}

/// A stop waits for the items at hand, but for nothing else.
#[test]
fn a_stop_waits_for_the_items_at_hand() {
    let _tidy = tidy(300);
    record();
    let scratch = Scratch::new();
    let dir = scratch.dir();
    let items = (0..1000).map(|n| Errand::always(&scratch.dir(), n, Deed::Wait)).collect::<Vec<_>>();
    let (stage, line) = (process::map(source(items), run).workers(2).end_timeout(HOUR), line!());
    let mut pipe = Pipeline::new(stage);
    wait_until(|| notes(&dir, "runs").len() == 2);
    std::thread::scope(|s| {
        let stop = s.spawn(|| pipe.stop());
        tinypl_tests::linger();
        assert!(!stop.is_finished());
        note(&dir, "go", "");
    });
    assert_eq!(pipe.next(), None);
    let started = notes(&dir, "runs").len();
    // each worker may have begun one more between the note and the stop, none when it saw the stop first
    assert!(started <= 4, "{started} items were started");
    assert_eq!(logged(&[&format!("{}:{line}:", file!())]), []);
}

/// Once each time that the consumer waits: here while the only worker is at an item.
#[test]
fn a_consumer_that_waits_is_told() {
    let _tidy = tidy(300);
    record();
    RECORDS.lock().unwrap().clear();
    let limit = Duration::from_millis(20);
    let (feed, errands) = mpsc::channel();
    let (stage, line) = (process::map(source(errands), run).workers(1).warn_timeout(limit), line!());
    let mut pipe = Pipeline::new(stage);
    let warnings = || logged(&[&format!("{}:{line}:", file!())]);
    for n in 0..3 {
        // each has a note of its own to wait for
        let scratch = Scratch::new();
        feed.send(Errand::always(&scratch.dir(), n, Deed::Wait)).unwrap();
        std::thread::scope(|s| {
            let consumer = s.spawn(|| pipe.next());
            wait_until(|| warnings().len() as u64 == n + 1 && runs_of(&scratch.dir(), n).len() == 1);
            std::thread::sleep(2 * limit);
            note(&scratch.dir(), "go", "");
            assert_eq!(consumer.join().unwrap(), Some(n));
        });
        assert_eq!(warnings().len() as u64, n + 1);
    }
    drop(feed);
    assert_eq!(pipe.next(), None);
    for (level, text) in warnings() {
        assert_eq!(level, log::Level::Warn, "{text}");
        assert!(text.starts_with("`process::map` at ") && text.contains(" has waited 20ms for an item"), "{text}");
    }
}

/// Who is unwinding does not wait.
#[test]
fn a_panic_of_the_consumer_waits_for_nobody() {
    let _tidy = tidy(300);
    for deed in [Deed::Spin, Deed::Stop] {
        let scratch = Scratch::new();
        let items: Vec<_> = (0..3).map(|n| Errand::always(&scratch.dir(), n, deed)).collect();
        let pipe = Pipeline::new(process::map(source(items), run).workers(2).end_timeout(HOUR));
        wait_until(|| notes(&scratch.dir(), "runs").len() == 2);
        cut(pipe, true);
        assert_eq!(children(), Vec::<u32>::new());
    }
}

/// A context that keeps its worker from getting ready.
#[derive(Clone)]
struct Obstacle {
    dir: PathBuf,
    deed: Deed,
    /// Bytes that have to travel, too.
    ballast: usize,
}

impl Serialize for Obstacle {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (&self.dir, self.deed, Blob(vec![0; self.ballast])).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Obstacle {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (dir, deed, ballast) = <(PathBuf, Deed, Blob)>::deserialize(deserializer)?;
        Errand::always(&dir, 0, deed).run();
        Ok(Self { dir, deed, ballast: ballast.0.len() })
    }
}

#[test]
fn a_worker_that_does_not_get_ready() {
    let _tidy = tidy(300);
    for (deed, ballast) in [(Deed::Spin, 0), (Deed::Stop, 0), (Deed::Wait, LARGE / 8)] {
        let scratch = Scratch::new();
        let context = Obstacle { dir: scratch.dir(), deed, ballast };
        let stage = process::map_with(source(0..9_u64), context, |_, x| x).workers(2);
        let (items, error) = outcome(&mut Pipeline::new(stage.start_timeout(10 * SOON)));
        let error = error.expect("an error");
        assert_eq!((items.len(), error.item(), error.stage()), (0, None, Some("process::map_with")));
        assert!(error.message().contains("not ready after `start_timeout`, 500ms"), "{error}");
        assert_eq!(children(), Vec::<u32>::new());
    }
}

/// Nobody waits for workers that start when the stage has ended.
#[test]
fn a_stage_that_is_dropped_while_its_workers_start() {
    let _tidy = tidy(300);
    for (deed, ballast) in [(Deed::Spin, 0), (Deed::Stop, 0), (Deed::Wait, LARGE / 8)] {
        for (workers, by_panic) in [(1, false), (3, true)] {
            let scratch = Scratch::new();
            let context = Obstacle { dir: scratch.dir(), deed, ballast };
            let stage = process::map_with(source(0..9_u64), context, |_, x| x).workers(workers).start_timeout(HOUR);
            let mut stage = stage.end_timeout(HOUR);
            let handle = stage.handle();
            let pipe = Pipeline::new(stage);
            wait_until(|| runs_of(&scratch.dir(), 0).len() == workers);
            assert_eq!(handle.workers(), 0);
            cut(pipe, by_panic);
            assert_eq!(children(), Vec::<u32>::new());
        }
    }
}
