//! How workers start, wherever they are started from; and what they say where they can't.
use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};
use std::env;
use std::fs::{self, OpenOptions, Permissions};
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Barrier, mpsc};
use std::thread;
use tinypl::process::{self, OnDeath};
use tinypl::{Error, Pipe, Pipeline, source};
use tinypl_tests::{Scratch, Tidy, await_note, child, family, is_child, note, notes, skipped, tidy, wait_until};

/// What makes a process a worker.
const VARIABLE: &str = "TINYPL_WORKER_0.1.0";
/// What is said where somebody else has set it.
const BY_HAND: &str = "TINYPL_WORKER_0.1.0 is set, and this process was not started as a worker";
/// Where a child of a test finds its directory.
const DIR: &str = "TINYPL_TESTS_DIR";
/// A program that calls `init`, or does not.
const BY_INIT: &str = env!("CARGO_BIN_EXE_by_init");

/// A stage as good as any other.
fn numbers(n: u64) -> Pipeline<impl Pipe<Item = u64> + Send> {
    Pipeline::new(process::map(source(0..n), |x| x + 1).workers(2))
}

fn sum(pipe: Pipeline<impl Pipe<Item = u64>>) -> Result<u64, Error> {
    pipe.try_collect::<Vec<_>>().map(|all| all.into_iter().sum())
}

/// What a child has to say, in its file `said`.
fn say(result: Result<u64, Error>) {
    let dir = PathBuf::from(env::var_os(DIR).expect("its directory"));
    note(&dir, "said", result.map_or_else(|error| error.to_string(), |sum| format!("sum {sum}")));
}

/// Runs a child to its end: what it printed, and what it said.
fn run(command: &mut Command, scratch: &Scratch) -> (Output, Vec<String>) {
    let output = command.env(DIR, scratch.dir()).output().expect("the child starts");
    assert_eq!(family(&scratch.dir()), Vec::<u32>::new(), "it left somebody behind");
    (output, notes(&scratch.dir(), "said"))
}

/// A copy of this executable at `path`. (It is written by another process: none that is forked here meanwhile may hold it
/// open for writing, or it could not be run.)
fn copy_to(path: &Path) {
    let copied = Command::new("cp").arg(env::current_exe().expect("a test has a file")).arg(path).status();
    assert!(copied.expect("`cp` is a program everywhere").success());
}

/// The command of [`child`], of another file.
fn child_of(program: &Path, test: &str) -> Command {
    let template = child(test);
    let mut command = Command::new(program);
    command.args(template.get_args());
    command.envs(template.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command
}

#[test]
fn on_a_thread_that_ends_at_once() {
    let _tidy = tidy(300);
    for _ in 0..20 {
        let mut pipe = thread::spawn(|| numbers(1000)).join().unwrap();
        assert!(pipe.next().is_some());
        assert_eq!(pipe.count(), 999);
        // a thread that starts the workers, too, and then ends
        let pipe = thread::spawn(|| {
            let mut pipe = numbers(1000);
            pipe.next();
            pipe
        });
        assert_eq!(pipe.join().unwrap().count(), 999);
    }
}

#[test]
fn many_stages_at_the_same_time() {
    let _tidy = tidy(300);
    for n in [2, 8] {
        for _ in 0..5 {
            let together = Barrier::new(n);
            thread::scope(|s| {
                for i in 0..n as u64 {
                    let together = &together;
                    s.spawn(move || {
                        together.wait();
                        assert_eq!(sum(numbers(100 + i)).unwrap(), (1..=100 + i).sum::<u64>());
                    });
                }
            });
        }
    }
}

#[test]
fn stages_above_one_another() {
    let _tidy = tidy(300);
    let first = process::map(source(0..1000_u64), |x| x + 1).workers(2);
    let second = process::map(first, |x| 2 * x).workers(2);
    let third = process::map(tinypl::thread::map(second, |x| x + 1).workers(2), |x| x - 1).workers(1);
    assert_eq!(sum(Pipeline::new(third)).unwrap(), (1..=1000).map(|x| 2 * x).sum::<u64>());
}

/// A worker is a process as any other, and may have workers.
#[test]
fn in_a_worker() {
    let _tidy = tidy(300);
    let f = |n: u64| {
        let inner = Pipeline::new(process::map(source(0..n), |x| x + 1).workers(2));
        inner.sum::<u64>()
    };
    let mut sums: Vec<u64> = Pipeline::new(process::map(source(0..20), f).workers(2)).collect();
    sums.sort_unstable();
    assert!(sums.into_iter().eq((0..20).map(|n| (1..=n).sum::<u64>())));
}

/// A worker that dies takes its own workers with it.
#[test]
fn in_a_worker_that_dies() {
    let _tidy = tidy(300);
    let scratch = Scratch::new();
    let f = |dir: PathBuf| {
        let first = notes(&dir, "outer").is_empty();
        note(&dir, "outer", std::process::id());
        let items = (0..10_u64).map(|n| (dir.clone(), n)).collect::<Vec<_>>();
        let inner = |(dir, n): (PathBuf, u64)| {
            note(&dir, "inner", std::process::id());
            n
        };
        let mut pipe = Pipeline::new(process::map(source(items), inner).workers(2));
        pipe.next();
        if first {
            std::process::abort();
        }
        1 + pipe.count()
    };
    let stage = process::map(source([scratch.dir()]), f).workers(1).on_death(OnDeath::Retry(1));
    assert_eq!(Pipeline::new(stage).collect::<Vec<_>>(), [10]);
    let inner: Vec<u32> = notes(&scratch.dir(), "inner").iter().map(|pid| pid.parse().unwrap()).collect();
    wait_until(|| inner.iter().all(|pid| !tinypl_tests::lives(*pid)));
}

/// Statics are fresh in a worker.
#[test]
fn statics_are_fresh() {
    use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
    static COUNT: AtomicU64 = AtomicU64::new(7);
    let _tidy = tidy(300);
    COUNT.store(100, SeqCst);
    let counts: Vec<u64> =
        Pipeline::new(process::map(source(0..3), |_: u8| COUNT.fetch_add(1, SeqCst)).workers(1)).collect();
    assert_eq!((counts, COUNT.load(SeqCst)), (vec![7, 8, 9], 100));
}

/// A function that reads from standard input finds its end; the environment is the parent's.
#[test]
fn standard_input_and_the_environment() {
    let _tidy = tidy(300);
    let f =
        |_: u8| (std::io::read_to_string(std::io::stdin()).ok(), env::var_os(VARIABLE).is_some(), env::args().next());
    let all: Vec<_> = Pipeline::new(process::map(source([1]), f).workers(1)).collect();
    assert_eq!(all, [(Some(String::new()), false, env::args().next())]);
}

/// The stages in a process with few descriptors: they work, or say what is missing, and keep nothing.
#[test]
fn with_few_descriptors() {
    const NAME: &str = "with_few_descriptors";
    let tidy = tidy(300);
    if is_child(NAME) {
        return with_each_limit(&tidy, || (), |()| sum(numbers(100)).map_err(|error| error.to_string()));
    }
    for line in outcomes_of(NAME) {
        let refused = line.contains("could not be started") || line.contains("no descriptor left");
        let complete = refused && line.contains("`process::map` at ") && line.contains("Too many open files");
        assert!(complete || line == "sum 5050", "{line}");
    }
}

/// As above, with shared memory that workers have: its descriptors travel to each of them.
#[test]
fn shared_memory_with_few_descriptors() {
    const NAME: &str = "shared_memory_with_few_descriptors";
    let tidy = tidy(300);
    if is_child(NAME) {
        let run = |()| {
            let ring = process::SharedMemoryRingBuffer::new(1 << 20).map_err(|error| format!("new: {error}"))?;
            let write =
                |ring: &process::SharedMemoryRingBuffer, x: u64| ring.write(&x).map_err(|error| error.to_string());
            let pipe = Pipeline::new(process::map_with(source(0..100_u64), ring.clone(), write).workers(2));
            let written = pipe.try_collect::<Vec<_>>().map_err(|error| error.to_string())?;
            written.into_iter().map(|x| Ok(ring.read_owned(x?).map_err(|error| error.to_string())? + 1)).sum()
        };
        return with_each_limit(&tidy, || (), run);
    }
    for line in outcomes_of(NAME) {
        let complete = line.contains("Too many open files") && (line.starts_with("new: ") || line.contains(" at "));
        assert!(complete || line == "sum 5050", "{line}");
    }
}

/// As above, when a worker is to take a dead one's place: the stage fails, and the other worker, which is well, goes too.
#[test]
fn a_replacement_with_few_descriptors() {
    const NAME: &str = "a_replacement_with_few_descriptors";
    let tidy = tidy(300);
    if is_child(NAME) {
        let prepare = || {
            let (feed, numbers) = mpsc::channel::<u64>();
            let (mut stage, line) = (process::map(source(numbers), |x| x + 1).workers(2), line!());
            let handle = stage.handle();
            let pipe = Pipeline::new(stage);
            wait_until(|| handle.workers() == 2);
            (feed, pipe, handle, line)
        };
        return with_each_limit(&tidy, prepare, |(feed, pipe, handle, line)| {
            // `signal_child` takes a descriptor to see whose child it is; nobody has waited for this one yet
            let pid = Pid::from_raw(handle.pids()[0].cast_signed()).expect("a process id is not 0");
            kill_process(pid, Signal::KILL).expect("it lives");
            let feeder = thread::spawn(move || {
                // items that came sooner might all be done before the replacement is missed
                wait_until(|| handle.workers() == 0 || (handle.restarts() == 1 && handle.workers() == 2));
                // nobody takes them where the stage has failed
                let _ = (0..100).try_for_each(|x| feed.send(x));
            });
            let result = sum(pipe);
            feeder.join().expect("it does not panic");
            result.map_err(|error| {
                let place = error.location().map(|place| (place.file(), place.line()));
                assert_eq!((error.stage(), error.item(), place), (Some("process::map"), None, Some((file!(), line))));
                error.to_string()
            })
        });
    }
    let said = outcomes_of(NAME);
    for line in &said {
        let complete = line.contains("a worker process could not be started: ") && line.contains("Too many open files");
        assert!(complete || line == "sum 5050", "{line}");
    }
    // no descriptor at all is too few for certain
    assert_ne!(said[0], "sum 5050");
}

/// In a child: what becomes of `run` when there may be so many descriptors, after `prepare` where there was no limit.
fn with_each_limit<T>(tidy: &Tidy, prepare: impl Fn() -> T, run: impl Fn(T) -> Result<u64, String>) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let dir = PathBuf::from(env::var_os(DIR).expect("its directory"));
    let whole = getrlimit(Resource::Nofile);
    for limit in 3..40 {
        let prepared = prepare();
        setrlimit(Resource::Nofile, Rlimit { current: Some(limit), ..whole }).unwrap();
        let result = run(prepared);
        setrlimit(Resource::Nofile, whole).unwrap();
        tidy.check();
        note(&dir, "said", result.map_or_else(|error| error, |sum| format!("sum {sum}")));
    }
}

/// What that child said. It worked, and it did not.
fn outcomes_of(test: &str) -> Vec<String> {
    let (output, said) = run(&mut child(test), &Scratch::new());
    assert!(output.status.success(), "{output:?}");
    assert!(said.iter().any(|line| line == "sum 5050"), "{said:?}");
    assert!(said.iter().any(|line| line.contains("Too many open files")), "{said:?}");
    said
}

/// The file of a program that runs may be replaced, by a newer version, say: its workers are of the old one.
#[test]
fn the_executable_was_replaced() {
    const NAME: &str = "the_executable_was_replaced";
    let _tidy = tidy(300);
    if is_child(NAME) {
        let dir = PathBuf::from(env::var_os(DIR).unwrap());
        // before and after
        say(sum(numbers(100)));
        await_note(&dir, "replaced");
        return say(sum(numbers(100)));
    }
    for removed in [false, true] {
        let scratch = Scratch::new();
        let program = scratch.dir().join("program");
        copy_to(&program);
        let mut command = child_of(&program, NAME);
        let mut running = command.env(DIR, scratch.dir()).stdout(Stdio::null()).spawn().unwrap();
        wait_until(|| notes(&scratch.dir(), "said").len() == 1);
        if removed {
            fs::remove_file(&program).unwrap();
        } else {
            let other = scratch.dir().join("other");
            OpenOptions::new()
                .write(true)
                .create(true)
                .mode(0o755)
                .truncate(true)
                .open(&other)
                .unwrap()
                .write_all(b"#!/bin/false")
                .unwrap();
            fs::rename(&other, &program).unwrap();
        }
        note(&scratch.dir(), "replaced", "");
        assert!(running.wait().unwrap().success());
        assert_eq!(notes(&scratch.dir(), "said"), ["sum 5050", "sum 5050"]);
    }
}

/// Run by hand through the dynamic loader, a process runs the loader, and so would its workers.
#[test]
fn the_executable_is_another_one() {
    const NAME: &str = "the_executable_is_another_one";
    let _tidy = tidy(300);
    if is_child(NAME) {
        return say(sum(numbers(100)));
    }
    let loaders = ["/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1", "/lib/ld-linux-riscv64-lp64d.so.1"];
    let Some(loader) = loaders.iter().find(|path| Path::new(path).exists()) else {
        skipped("there is no dynamic loader at hand");
        return;
    };
    let scratch = Scratch::new();
    let mut command = Command::new(loader);
    let template = child(NAME);
    command.arg(env::current_exe().unwrap()).args(template.get_args());
    command.envs(template.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let (output, said) = run(&mut command, &scratch);
    assert!(output.status.success(), "{output:?}");
    let [said] = &*said else { panic!("{said:?}") };
    assert!(said.contains("`process::map` at ") && said.contains("worker process"), "{said}");
    assert!(said.contains("and the pipeline is in ") && said.contains("run the latter by itself"), "{said}");
}

/// An executable with more rights than its user does not become a worker, so it must not start any: they would each be a
/// program of its own, with workers of its own.
#[test]
fn the_executable_has_more_rights_than_its_user() {
    const NAME: &str = "the_executable_has_more_rights_than_its_user";
    use rustix::process::{geteuid, getuid};
    let _tidy = tidy(300);
    if is_child(NAME) {
        // it may not write to the directory
        println!("ids {} {}", getuid().as_raw(), geteuid().as_raw());
        return println!("said {:?}", sum(numbers(100)));
    }
    if !getuid().is_root() {
        skipped("only root can make a file setuid to somebody else");
        return;
    }
    let scratch = Scratch::new();
    let program = scratch.dir().join("program");
    copy_to(&program);
    std::os::unix::fs::chown(&program, Some(65534), None).unwrap();
    fs::set_permissions(&program, Permissions::from_mode(0o4755)).unwrap();
    let (output, _) = run(&mut child_of(&program, NAME), &scratch);
    let text = String::from_utf8_lossy(&output.stdout);
    if !text.contains("ids 0 65534") {
        skipped(&format!("setuid has no effect here: {output:?}"));
        return;
    }
    assert!(output.status.success(), "{output:?}");
    assert!(text.contains("said Err(this executable runs with more rights than who started it"), "{output:?}");
}

/// A plugin, or a module of another language: the executable is not ours, and none of our functions are in it.
#[test]
fn in_a_shared_library() {
    let _tidy = tidy(300);
    let library = tinypl_tests_host::library();
    assert!(library.exists(), "{library:?} is built with the tests");
    let said = tinypl_tests_host::run(&library).unwrap();
    assert!(
        said.contains("worker processes start from the main executable, and here tinypl is in a shared library"),
        "{said}"
    );
    assert!(
        said.contains("`process::map` at tests/host/src/lib.rs:") && said.contains("use `thread::` stages"),
        "{said}"
    );
    // this executable's own are not disturbed by that
    assert_eq!(sum(numbers(100)).unwrap(), 5050);
}

/// A shared library with a tinypl of its own, there from the start: its constructor runs before the executable's, in workers
/// too.
#[test]
fn beside_a_shared_library() {
    const NAME: &str = "beside_a_shared_library";
    let _tidy = tidy(300);
    if is_child(NAME) {
        return say(sum(numbers(100)));
    }
    let scratch = Scratch::new();
    let (output, said) = run(child(NAME).env("LD_PRELOAD", tinypl_tests_host::library()), &scratch);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(said, ["sum 5050"]);
}

/// Somebody has set the variable that makes a process a worker.
#[test]
fn the_variable_set_by_hand() {
    let _tidy = tidy(300);
    let run = |stdin: Stdio| {
        let mut command = Command::new(env::current_exe().unwrap());
        command.arg("--list").env(VARIABLE, "1").stdin(stdin).output().unwrap()
    };
    let assert_says = |output: Output, says: &str| {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(111), 0), "{output:?}");
        assert!(said.starts_with("tinypl: ") && said.lines().count() == 1, "{said}");
        assert!(said.contains(says) && !said.contains("panicked"), "{said}");
    };
    assert_says(run(Stdio::null()), BY_HAND);
    assert_says(run(Stdio::piped()), BY_HAND);
    assert_says(run(fs::File::open("/proc/self/status").unwrap().into()), BY_HAND);
    // a socket, of another kind, or of another process
    let udp = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    assert_says(run(OwnedFd::from(udp).into()), "");
    // one of its parent, which is no parent of workers
    for (garbage, says) in [
        (vec![255; 1000], "over the limit"),
        (vec![0; 1000], "too short"),
        (b"hello, world".repeat(99), "over the limit"),
    ] {
        let (mut ours, theirs) = UnixStream::pair().unwrap();
        ours.write_all(&garbage).unwrap();
        assert_says(run(OwnedFd::from(theirs).into()), says);
    }
}

/// A parent that goes away while its worker starts is no error that anybody should read about.
#[test]
fn a_parent_that_goes_away_at_once() {
    let _tidy = tidy(300);
    let (ours, theirs) = UnixStream::pair().unwrap();
    drop(ours);
    let mut command = Command::new(env::current_exe().unwrap());
    let output = command.env(VARIABLE, "1").stdin(OwnedFd::from(theirs)).output().unwrap();
    assert!(output.stdout.is_empty() && !String::from_utf8_lossy(&output.stderr).contains("panicked"), "{output:?}");
}

/// Some programs, and those whom they start, have their children buried by the system: how a worker ended is not known then.
#[test]
fn where_children_are_not_waited_for() {
    const NAME: &str = "where_children_are_not_waited_for";
    let _tidy = tidy(300);
    if is_child(NAME) {
        say(sum(numbers(100)));
        let f = |x: u64| if x == 7 { std::process::abort() } else { x };
        say(sum(Pipeline::new(process::map(source(0..10), f).workers(2).on_death(OnDeath::Skip))));
        return say(sum(Pipeline::new(process::map(source(0..10), f).workers(2))));
    }
    let scratch = Scratch::new();
    let template = child(NAME);
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' CHLD; exec \"$0\" \"$@\""]).arg(template.get_program()).args(template.get_args());
    command.envs(template.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let (output, said) = run(&mut command, &scratch);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(said[..2], ["sum 5050", "sum 38"]);
    assert!(said[2].contains("died at this item") && said[2].contains("item 7)"), "{said:?}");
}

/// Handles keep nothing alive.
#[test]
fn handles_outlive_their_stage() {
    let tidy = tidy(300);
    let mut stage = process::map(source(0..), |x: u64| x).workers(2);
    let handle = stage.handle();
    let mut pipe = Pipeline::new(stage);
    assert_eq!((pipe.by_ref().take(100).count(), handle.workers() > 0), (100, true));
    drop(pipe);
    tidy.check();
    assert_eq!((handle.workers(), handle.pids(), handle.fill(), handle.restarts()), (0, vec![], 0, 0));
}

/// It returns, as often as it is called, and workers start all the same.
#[test]
fn init_does_nothing_in_a_program() {
    let _tidy = tidy(300);
    for _ in 0..2 {
        tinypl::init();
        assert_eq!(sum(numbers(100)).unwrap(), 5050);
    }
}

/// Where constructors don't run the error says what to call, and that helps.
#[test]
fn where_constructors_do_not_run() {
    let _tidy = tidy(300);
    let scratch = Scratch::new();
    let (built, without) = (Path::new(BY_INIT), without_constructors(&scratch));
    let says = |program: &Path, arg: &str| {
        let output = Command::new(program).arg(arg).output().expect("it starts");
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        String::from_utf8(output.stdout).expect("text")
    };
    assert_eq!(says(built, "forgetful"), "[0, 1, 4, 9]\n");
    assert_eq!(says(built, "careful"), "[0, 1, 4, 9]\n");
    assert_eq!(says(&without, "careful"), "[0, 1, 4, 9]\n");
    let error = says(&without, "forgetful");
    assert!(error.contains("by_init.rs:") && error.contains("call `tinypl::init()` at the start of `main`"), "{error}");
}

/// To whatever it is set: `init` says then what elsewhere the constructor says, and does not return. Who does not call it does not look.
#[test]
fn the_variable_set_by_hand_where_constructors_do_not_run() {
    let _tidy = tidy(300);
    let scratch = Scratch::new();
    let (built, without) = (Path::new(BY_INIT), &*without_constructors(&scratch));
    for value in ["1", "0", ""] {
        let run = |program: &Path, arg: &str| {
            let mut command = Command::new(program);
            command.arg(arg).env(VARIABLE, value).stdin(Stdio::null()).output().expect("it starts")
        };
        for (program, arg) in [(without, "careful"), (built, "careful"), (built, "forgetful")] {
            let output = run(program, arg);
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!((output.status.code(), output.stdout.len()), (Some(111), 0), "{output:?}");
            assert!(said.contains(BY_HAND) && said.lines().count() == 1, "{said}");
        }
        let output = run(without, "forgetful");
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains("call `tinypl::init()` at the start of `main`"), "{said}");
    }
}

/// A copy of that program in which no constructors are run.
fn without_constructors(scratch: &Scratch) -> PathBuf {
    let without = scratch.dir().join("without");
    let mut executable = fs::read(BY_INIT).expect("it was built beside this test");
    forget_constructors(&mut executable);
    fs::write(&without, executable).expect("a copy");
    fs::set_permissions(&without, Permissions::from_mode(0o755)).expect("it may be run");
    without
}

/// Says of an ELF file that its array of constructors is empty (`DT_INIT_ARRAYSZ`, by the ELF specification).
fn forget_constructors(elf: &mut [u8]) {
    let number = |elf: &[u8], at: usize| u64::from_le_bytes(elf[at..at + 8].try_into().expect("eight bytes")) as usize;
    let half = |elf: &[u8], at: usize| usize::from(u16::from_le_bytes([elf[at], elf[at + 1]]));
    assert_eq!(elf[..6], *b"\x7fELF\x02\x01", "64 bits, little-endian");
    let (headers, size, count) = (number(elf, 32), half(elf, 54), half(elf, 56));
    let dynamic = (0..count).map(|i| headers + i * size).find(|at| elf[*at..*at + 4] == [2, 0, 0, 0]);
    let dynamic = dynamic.expect("it is linked dynamically");
    let (start, length) = (number(elf, dynamic + 8), number(elf, dynamic + 32));
    let entry = (start..start + length).step_by(16).find(|at| number(elf, *at) == 27);
    let entry = entry.expect("it has constructors");
    elf[entry + 8..entry + 16].fill(0);
}

/// Large things go both ways, whatever fits into a socket.
#[test]
fn large_contexts_items_and_results() {
    #[derive(Serialize, Deserialize)]
    struct Large(String);
    let _tidy = tidy(300);
    let large = |n: usize| Large("x".repeat(n));
    let f = |context: &Large, item: Large| Large(item.0 + &context.0);
    for (context, item) in [(6 << 20, 1), (1, 6 << 20), (2 << 20, 3 << 20)] {
        let items: Vec<_> = (0..4).map(|i| large(item + i)).collect();
        let stage = process::map_with(source(items), large(context), f).workers(2);
        let mut lengths: Vec<usize> = Pipeline::new(stage).map(|result| result.0.len()).collect();
        lengths.sort_unstable();
        assert!(lengths.into_iter().eq((0..4).map(|i| context + item + i)));
    }
}
