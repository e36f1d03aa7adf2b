//! Items, results and contexts that don't travel, and functions that panic: each is one item's error, which says what and where.
use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use tinypl::process::{self, OnDeath};
use tinypl::{Error, OnWorkerError, Pipeline, order, source};
use tinypl_tests::{Deed, Errand, Scratch, Traveller, child, final_outcome, is_child, note, notes, runs_of, tidy};

/// What serde does with a [`Freak`], and where. Which process is the parent is told by `PARENT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Fault {
    None,
    EncodeInParent,
    DecodeInWorker,
    EncodeInWorker,
    DecodeInParent,
    PanicAtEncodeInParent,
    PanicAtDecodeInWorker,
    PanicAtEncodeInWorker,
    PanicAtDecodeInParent,
}

/// Set in the test's own process; statics are fresh in a worker.
static PARENT: OnceLock<()> = OnceLock::new();

/// A value that serde has trouble with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Freak {
    n: u64,
    fault: Fault,
}

impl Freak {
    fn new(n: u64, fault: Fault) -> Self {
        Self { n, fault }
    }
}

impl Serialize for Freak {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match (self.fault, PARENT.get().is_some()) {
            (Fault::EncodeInParent, true) | (Fault::EncodeInWorker, false) => Err(S::Error::custom("too freaky to go")),
            (Fault::PanicAtEncodeInParent, true) | (Fault::PanicAtEncodeInWorker, false) => panic!("too freaky to go"),
            _ => (self.n, self.fault).serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Freak {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (n, fault) = Deserialize::deserialize(deserializer)?;
        match (fault, PARENT.get().is_some()) {
            (Fault::DecodeInParent, true) | (Fault::DecodeInWorker, false) => {
                Err(D::Error::custom("too freaky to come"))
            }
            (Fault::PanicAtDecodeInParent, true) | (Fault::PanicAtDecodeInWorker, false) => {
                panic!("too freaky to come")
            }
            _ => Ok(Self { n, fault }),
        }
    }
}

const LAST: u64 = 200;

/// Of which one, somewhere in the middle, has the fault.
fn freaks(bad: u64, fault: Fault) -> impl Iterator<Item = Freak> + Send {
    PARENT.get_or_init(|| ());
    (0..LAST).map(move |n| Freak::new(n, if n == bad { fault } else { Fault::None }))
}

/// The same as numbers, of which the function makes freaks: only results have the fault.
fn numbers(bad: u64, fault: Fault) -> impl Iterator<Item = (u64, Fault)> + Send {
    freaks(bad, fault).map(|freak| (freak.n, freak.fault))
}

/// That the error names the stage, the line above, the item, and says all of this.
#[track_caller]
fn assert_says(error: &Error, stage: &str, line: u32, item: Option<u64>, parts: &[&str]) {
    assert_eq!((error.stage(), error.item()), (Some(stage), item), "{error}");
    let place = error.location().unwrap_or_else(|| panic!("it says no place: {error}"));
    assert_eq!((place.file(), place.line()), (file!(), line), "{error}");
    for part in parts {
        assert!(error.message().contains(part), "{part:?} is not in {error}");
    }
}

/// What the message says of a fault.
fn says(fault: Fault, what: &str) -> Vec<String> {
    let did = |did: &str, why: &str| vec![what.to_owned(), "Freak".to_owned(), did.to_owned(), why.to_owned()];
    match fault {
        Fault::EncodeInParent => did("could not be encoded", "too freaky to go"),
        Fault::DecodeInWorker => did("could not be decoded", "too freaky to come"),
        Fault::EncodeInWorker => did("could not be encoded in the worker", "too freaky to go"),
        Fault::DecodeInParent => did("could not be decoded", "too freaky to come"),
        Fault::PanicAtEncodeInParent => did("could not be encoded", "panicked: too freaky to go"),
        Fault::PanicAtDecodeInWorker => did("panicked while it was decoded in the worker", "too freaky to come"),
        Fault::PanicAtEncodeInWorker => did("panicked while it was encoded in the worker", "too freaky to go"),
        Fault::PanicAtDecodeInParent => did("could not be decoded", "panicked: too freaky to come"),
        Fault::None => Vec::new(),
    }
}

const OUTWARD: [Fault; 4] =
    [Fault::EncodeInParent, Fault::DecodeInWorker, Fault::PanicAtEncodeInParent, Fault::PanicAtDecodeInWorker];
const HOMEWARD: [Fault; 4] =
    [Fault::EncodeInWorker, Fault::DecodeInParent, Fault::PanicAtEncodeInWorker, Fault::PanicAtDecodeInParent];

/// Checks the pipeline that stands in the line of the call.
macro_rules! assert_fails {
    ($stage:expr, $name:literal, $bad:expr, $fault:expr, $what:literal) => {{
        let (items, error) = final_outcome(Pipeline::new($stage.workers(2)));
        let error = error.unwrap_or_else(|| panic!("{:?} in {}: no error", $fault, $name));
        let says = says($fault, $what);
        assert_says(&error, $name, line!(), Some($bad), &says.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(items.len() < LAST as usize);
    }};
}

#[test]
fn an_item_that_does_not_travel() {
    let _tidy = tidy(300);
    for fault in OUTWARD {
        for bad in [0, 77, LAST - 1] {
            let freaks = || source(freaks(bad, fault));
            assert_fails!(process::map(freaks(), |x| x.n), "process::map", bad, fault, "the item");
            assert_fails!(process::each(freaks(), |_| ()), "process::each", bad, fault, "the item");
            assert_fails!(process::map_with(freaks(), 1_u8, |_, x| x.n), "process::map_with", bad, fault, "the item");
            assert_fails!(process::map_init(freaks(), || 1, |_, x| x.n), "process::map_init", bad, fault, "the item");
        }
    }
}

#[test]
fn a_result_that_does_not_travel() {
    let _tidy = tidy(300);
    for fault in HOMEWARD {
        for bad in [0, 77, LAST - 1] {
            let numbers = || source(numbers(bad, fault));
            let f = |(n, fault)| Freak::new(n, fault);
            assert_fails!(process::map(numbers(), f), "process::map", bad, fault, "the result");
            let f = |_: &u8, (n, fault)| Freak::new(n, fault);
            assert_fails!(process::map_with(numbers(), 1_u8, f), "process::map_with", bad, fault, "the result");
            let f = |_: &mut u8, (n, fault)| Freak::new(n, fault);
            assert_fails!(process::map_init(numbers(), || 1, f), "process::map_init", bad, fault, "the result");
        }
    }
}

/// The item of `each` does not travel back: it is decoded from what was sent.
#[test]
fn an_item_of_each_that_does_not_come_back() {
    let _tidy = tidy(300);
    for fault in [Fault::DecodeInParent, Fault::PanicAtDecodeInParent] {
        assert_fails!(process::each(source(freaks(77, fault)), |_| ()), "process::each", 77, fault, "the item");
    }
    for fault in [Fault::EncodeInWorker, Fault::PanicAtEncodeInWorker] {
        let (items, error) = final_outcome(Pipeline::new(process::each(source(freaks(77, fault)), |_| ()).workers(2)));
        assert!(error.is_none() && items.len() == LAST as usize, "{error:?}");
    }
}

#[test]
fn a_context_that_does_not_travel() {
    let _tidy = tidy(300);
    PARENT.get_or_init(|| ());
    for fault in [Fault::EncodeInParent, Fault::DecodeInWorker] {
        let (stage, line) = (process::map_with(source(0..9), Freak::new(0, fault), |_, x: u8| x), line!());
        let (items, error) = final_outcome(Pipeline::new(stage.workers(2)));
        assert!(items.is_empty());
        let says = says(fault, "context");
        let parts: Vec<&str> = says.iter().map(String::as_str).collect();
        assert_says(&error.expect("an error"), "process::map_with", line, None, &parts);
    }
    // what came along for a buffer is there once
    let ring = process::SharedMemoryRingBuffer::new(1 << 16).unwrap();
    let context = (ring, Freak::new(0, Fault::DecodeInWorker));
    let (stage, line) = (process::map_with(source(0..9), context, |_, x: u8| x), line!());
    let error = final_outcome(Pipeline::new(stage.workers(1))).1.expect("an error");
    assert_says(&error, "process::map_with", line, None, &["SharedMemoryRingBuffer", "Freak", "too freaky to come"]);
    // it is as if the worker died of it
    let (stage, line) =
        (process::map_with(source(0..9), Freak::new(0, Fault::PanicAtDecodeInWorker), |_, x: u8| x), line!());
    let (_, error) = final_outcome(Pipeline::new(stage.workers(1)));
    assert_says(&error.expect("an error"), "process::map_with", line, None, &["panicked"]);
}

/// It is encoded once for all workers, those included that take a dead one's place. Each decodes it once.
#[test]
fn a_context_travels_once_whoever_dies() {
    let _tidy = tidy(300);
    let scratch = Scratch::new();
    let dir = scratch.dir();
    let items = tinypl_tests::errands(&dir, 60, Errand::once(&dir, 40, Deed::Kill));
    let f = |_: &Traveller, errand: Errand| (errand.run(), std::process::id(), Traveller::arrived());
    // one worker at a time: it is known who is to run what
    let mut stage = process::map_with(source(items), Traveller, f).workers(1).on_death(OnDeath::Retry(1));
    let handle = stage.handle();
    let (mut items, error) = final_outcome(Pipeline::new(stage));
    assert!(error.is_none(), "{error:?}");
    items.sort_unstable();
    let [first, second] = *runs_of(&dir, 40) else { panic!("item 40 ran {:?}", runs_of(&dir, 40)) };
    assert_ne!(first, second);
    assert!(items.into_iter().eq((0..60).map(|n| (n, if n < 40 { first } else { second }, 1))));
    assert_eq!((Traveller::sent(), Traveller::arrived(), handle.restarts()), (1, 0, 1));
}

/// In the middle of the items that its worker has, too: those before it count, and with another policy nothing changes, for no
/// worker has died.
#[test]
fn what_does_not_travel_is_no_death() {
    let _tidy = tidy(300);
    for policy in [OnDeath::Retry(3), OnDeath::Skip] {
        for fault in [Fault::DecodeInWorker, Fault::PanicAtDecodeInWorker] {
            let (stage, line) = (process::map(source(freaks(77, fault)), |x| x.n), line!());
            let mut stage = stage.workers(1).on_death(policy);
            let handle = stage.handle();
            let (items, error) = final_outcome(Pipeline::new(stage));
            assert_says(&error.expect("an error"), "process::map", line, Some(77), &[]);
            assert_eq!((items.contains(&77), handle.restarts()), (false, 0));
        }
    }
}

fn errands(dir: &Path, bad: u64, deed: Deed) -> Vec<Errand> {
    (0..100).map(|n| if n == bad { Errand::always(dir, n, deed) } else { Errand::new(dir, n) }).collect()
}

/// A panic of the function is an error as it is with threads: it names the item, and is no death.
#[test]
fn a_panic_of_the_function() {
    let _tidy = tidy(300);
    for bad in [0, 50, 99] {
        for policy in [OnDeath::Fail, OnDeath::Retry(3), OnDeath::Skip] {
            let scratch = Scratch::new();
            let items = source(errands(&scratch.dir(), bad, Deed::Panic));
            let (stage, line) = (process::map(items, |errand| errand.run()), line!());
            let mut stage = stage.workers(2).on_death(policy);
            let handle = stage.handle();
            let (_, error) = final_outcome(Pipeline::new(stage));
            let error = error.expect("an error");
            assert_says(&error, "process::map", line, Some(bad), &["panicked: no more of this"]);
            assert!(error.is_panic());
            assert_eq!((runs_of(&scratch.dir(), bad).len(), handle.restarts()), (1, 0));
        }
    }
}

/// What is thrown need not be text, need not be small, and may be thrown once more when it is dropped.
#[test]
fn whatever_is_thrown() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("once more");
        }
    }
    let _tidy = tidy(300);
    let f = |n: u64| -> u64 {
        match n {
            0 => std::panic::panic_any(7),
            1 => std::panic::panic_any(Bomb),
            2 => panic!("{}", "long ".repeat(1 << 20)),
            3 => panic!(""),
            _ => panic!("na\u{ef}ve\0\u{1f980}"),
        }
    };
    let long = "long ".repeat(1 << 20);
    for (n, says) in (0..).zip(["not text", "not text", &long, "", "na\u{ef}ve\0\u{1f980}"]) {
        let (stage, line) = (process::map(source([n]), f), line!());
        let (_, error) = final_outcome(Pipeline::new(stage.workers(1)));
        assert_says(&error.expect("an error"), "process::map", line, Some(0), &["panicked: ", says]);
    }
}

/// The state may be half changed: it is made anew for the next item, if there is one.
#[test]
fn a_panic_of_init() {
    let _tidy = tidy(300);
    let init = || -> u64 { panic!("no state") };
    let (stage, line) = (process::map_init(source(0..100_u64), init, |s, x| *s + x), line!());
    let (items, error) = final_outcome(Pipeline::new(stage.workers(1)));
    assert_says(&error.expect("an error"), "process::map_init", line, Some(0), &["panicked: no state"]);
    assert!(items.is_empty());
}

#[test]
fn a_panic_of_each_and_its_kin() {
    let _tidy = tidy(300);
    let (stage, line) = (process::each(source(0..100_u64), |x| assert!(*x != 30, "no {x}")), line!());
    let (items, error) = final_outcome(Pipeline::new(stage.workers(2)));
    assert_says(&error.expect("an error"), "process::each", line, Some(30), &["panicked: no 30"]);
    assert!(!items.contains(&30));
    let (stage, line) = (process::map_with(source(0..100), 30, |no: &i32, x| assert!(x != *no, "no {x}")), line!());
    let (_, error) = final_outcome(Pipeline::new(stage.workers(2)));
    assert_says(&error.expect("an error"), "process::map_with", line, Some(30), &["panicked: no 30"]);
    let (stage, line) = (process::map_init(source(0..100), || 30, |no, x| assert!(x != *no, "no {x}")), line!());
    let (_, error) = final_outcome(Pipeline::new(stage.workers(2)));
    assert_says(&error.expect("an error"), "process::map_init", line, Some(30), &["panicked: no 30"]);
}

/// In an order all items before the one that failed have come.
#[test]
fn an_order_gives_what_stands_before() {
    let _tidy = tidy(300);
    let mut saved = order::save(source(0..100_u64), 10);
    let saved_order = saved.handle();
    let stage = process::map(saved, |x| if x == 40 { panic!("no 40") } else { x }).workers(3);
    let (items, error) = final_outcome(Pipeline::new(order::load(stage, &saved_order)));
    assert_eq!(error.expect("an error").item(), Some(40));
    assert!(items.len() <= 40 && items.iter().copied().eq(0..items.len() as u64), "{items:?}");
}

/// `exit` and `forward_and_print` are those of thread queues, in the parent.
#[test]
fn policies_for_panics() {
    const NAME: &str = "policies_for_panics";
    let _tidy = tidy(300);
    if is_child(NAME) {
        let policy =
            if std::env::var_os("EXIT").is_some() { OnWorkerError::Exit } else { OnWorkerError::ForwardAndPrint };
        let (stage, line) = (process::map(source(0..100), |x| if x == 7 { panic!("no 7") } else { x }), line!());
        println!("\nline {line}");
        let (_, error) = final_outcome(Pipeline::new(stage.workers(2).on_worker_error(policy)));
        return println!("went on: {}", error.is_some());
    }
    for exit in [false, true] {
        let mut command = child(NAME);
        if exit {
            command.env("EXIT", "1");
        }
        let output = command.output().unwrap();
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let line = out.lines().find_map(|line| line.strip_prefix("line ")).expect("the line");
        assert_eq!(output.status.code(), Some(i32::from(exit)), "{out} {err}");
        assert_eq!(out.contains("went on: true"), !exit, "{out}");
        let printed = format!("tinypl: panicked: no 7 (in `process::map` at {}:{line}:", file!());
        assert_eq!(err.matches(&printed).count(), 1, "{err}");
    }
}

/// What the function prints is there, whatever ends the worker later.
#[test]
fn what_was_printed_is_not_lost() {
    const NAME: &str = "what_was_printed_is_not_lost";
    let _tidy = tidy(300);
    if is_child(NAME) {
        let f = |x: u64| {
            // not by a line: that would be flushed at once anyhow
            print!("<{x}>");
            if x == 20 {
                std::process::abort();
            }
        };
        return Pipeline::new(process::map(source(0..40), f).workers(1).on_death(OnDeath::Skip)).for_each(drop);
    }
    let output = child(NAME).output().unwrap();
    let out = String::from_utf8_lossy(&output.stdout);
    for x in (0..40).filter(|x| *x != 20) {
        assert_eq!(out.matches(&format!("<{x}>")).count(), 1, "{x} in {out}");
    }
}

/// Where an item that failed was one of several under way, the workers end as after a stop: with the item at hand.
#[test]
fn other_workers_finish_their_item() {
    let _tidy = tidy(300);
    let scratch = Scratch::new();
    let f = |(dir, n): (PathBuf, u64)| {
        if n == 0 {
            tinypl_tests::wait_until(|| notes(&dir, "begun").len() == 1);
            note(&dir, "failed", "");
            panic!("no 0");
        }
        note(&dir, "begun", n);
        tinypl_tests::await_note(&dir, "failed");
        tinypl_tests::linger();
        note(&dir, "ended", n);
    };
    let items: Vec<_> = (0..2).map(|n| (scratch.dir(), n)).collect();
    let (_, error) = final_outcome(Pipeline::new(process::map(source(items), f).workers(2)));
    assert_eq!(error.expect("an error").item(), Some(0));
    assert_eq!(notes(&scratch.dir(), "ended"), ["1"]);
}
