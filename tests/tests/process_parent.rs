//! Whatever ends a parent, at whatever moment: its workers see it at once, whatever they are at, and nobody is left over.
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::env;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};
use tinypl::process::{self, SharedMemoryRingBuffer, WorkersHandle};
use tinypl::{Pipeline, source};
use tinypl_tests::{
    Deed, Errand, Random, Scratch, await_note, child, family, hold_sockets, is_child, linger, note, notes, rounds,
    runs_of, stands_still, tidy, wait_until,
};

/// Where the parent, a child of the test, finds its directory, its phase and how it is to end.
const DIR: &str = "TINYPL_TESTS_DIR";
const PHASE: &str = "TINYPL_TESTS_PHASE";
const END: &str = "TINYPL_TESTS_END";

/// How far the parent is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The workers are ready, and there is no item.
    Ready,
    /// Each worker is in an endless loop.
    Busy,
    /// All items have been dealt with, and there may be more.
    Idle,
    /// The workers wait for room for their results.
    Full,
    /// The workers have workers of their own, and these are in an endless loop.
    Nested,
    /// As `Busy`, and another thread has stopped the pipeline and waits for them.
    Ending,
    /// Each worker has a guard and a reservation of a buffer, and is in an endless loop.
    Holding,
    /// Each worker has a guard and a reservation of a buffer, and waits for room that the parent holds.
    Waiting,
    /// As `Waiting`, but the room is held by a worker in an endless loop.
    WaitingForOne,
}

impl Phase {
    fn has_a_buffer(self) -> bool {
        matches!(self, Self::Holding | Self::Waiting | Self::WaitingForOne)
    }
}

const PHASES: [Phase; 9] = [
    Phase::Ready,
    Phase::Busy,
    Phase::Idle,
    Phase::Full,
    Phase::Nested,
    Phase::Ending,
    Phase::Holding,
    Phase::Waiting,
    Phase::WaitingForOne,
];

/// By what it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Kill,
    Terminate,
    /// As Ctrl-C does: all processes of the terminal get the signal.
    Interrupt,
    /// A panic of the thread that holds the pipeline.
    Panic,
    /// A panic while nobody drops the pipeline.
    PanicElsewhere,
    Exit,
    Abort,
}

const ENDS: [End; 7] =
    [End::Kill, End::Terminate, End::Interrupt, End::Panic, End::PanicElsewhere, End::Exit, End::Abort];

fn run(errand: Errand) -> Vec<u8> {
    if errand.deed == Deed::Wait {
        // the errand of a worker that has workers of its own
        let inner = vec![Errand { deed: Deed::Spin, ..errand.clone() }; 2];
        return Pipeline::new(process::map(source(inner), run).workers(2)).flatten().collect();
    }
    vec![errand.run() as u8; if errand.n >= 100 { 1 << 20 } else { 1 }]
}

const PAGE: usize = 4096;

/// With a page to read and one to fill, the worker does what its item says: it waits for room, or never returns.
fn run_with(ring: &SharedMemoryRingBuffer, errand: Errand) -> u64 {
    let guard = ring.read(ring.write(&[7_u8; PAGE][..]).unwrap()).unwrap();
    let mut reserved = ring.reserve::<u8>(PAGE).unwrap();
    reserved.fill(guard[0]);
    if errand.deed == Deed::Wait {
        note(&errand.dir, "asks", "");
        let room = ring.reserve::<u8>(4 * PAGE);
        if room.is_ok() {
            note(&errand.dir, "got", "");
        }
        return errand.n;
    }
    // it has the rest, or as much as there is
    let _rest = ring.try_reserve::<u8>(4 * PAGE);
    errand.run()
}

/// What a parent does that has a buffer of eight pages.
fn parent_with_a_ring(dir: &Path, phase: Phase, end: End) {
    let ring = SharedMemoryRingBuffer::new(8 * PAGE).unwrap();
    let (feed, errands) = mpsc::channel();
    let stage = process::map_with(source(errands), ring.clone(), run_with).workers(2).maxsize(4);
    let mut stage = stage.end_timeout(Duration::from_secs(3600));
    let handle = stage.handle();
    let pipe = Pipeline::new(stage);
    // dropped before the pipeline, should an assertion fail
    let feed = feed;
    let held = (phase == Phase::Waiting).then(|| ring.write(&[1_u8; 4 * PAGE][..]).unwrap());
    let deeds = match phase {
        Phase::Holding => [Deed::Spin, Deed::Spin],
        Phase::Waiting => [Deed::Wait, Deed::Wait],
        _ => [Deed::Spin, Deed::Wait],
    };
    let [spins, waits] = [Deed::Spin, Deed::Wait].map(|deed| deeds.iter().filter(|other| **other == deed).count());
    for (n, deed) in (0..).zip(deeds) {
        feed.send(Errand::always(dir, n, deed)).unwrap();
        // first the one that takes the room
        wait_until(|| notes(dir, "runs").len() + notes(dir, "asks").len() > n as usize);
    }
    assert_eq!((notes(dir, "runs").len(), notes(dir, "asks").len()), (spins, waits));
    // that one waits is not seen from outside
    linger();
    assert_eq!(notes(dir, "got"), [""; 0]);
    note(dir, "there", "");
    // what is held goes after the pipeline
    finish(end, &handle, (pipe, held, ring), feed);
}

/// What the parent does.
fn parent() {
    let dir = PathBuf::from(env::var_os(DIR).unwrap());
    let phase = *PHASES.iter().find(|phase| format!("{phase:?}") == env::var(PHASE).unwrap()).unwrap();
    let end = *ENDS.iter().find(|end| format!("{end:?}") == env::var(END).unwrap()).unwrap();
    if phase.has_a_buffer() {
        return parent_with_a_ring(&dir, phase, end);
    }
    let (feed, errands) = mpsc::channel();
    let mut stage = process::map(source(errands), run).workers(2).maxsize(4).end_timeout(Duration::from_secs(3600));
    let handle = stage.handle();
    let mut pipe = Pipeline::new(stage);
    wait_until(|| handle.workers() == 2);
    match phase {
        Phase::Ready => {}
        Phase::Busy | Phase::Ending => {
            (0..4).for_each(|n| feed.send(Errand::always(&dir, n, Deed::Spin)).unwrap());
            wait_until(|| notes(&dir, "runs").len() == 2);
        }
        Phase::Idle => {
            (0..20).for_each(|n| feed.send(Errand::new(&dir, n)).unwrap());
            assert_eq!(pipe.by_ref().take(20).count(), 20);
        }
        Phase::Full => {
            (100..200).for_each(|n| feed.send(Errand::new(&dir, n)).unwrap());
            pipe.next();
            wait_until(|| handle.fill() == 4);
        }
        Phase::Nested => {
            (0..2).for_each(|n| feed.send(Errand::always(&dir, n, Deed::Wait)).unwrap());
            wait_until(|| notes(&dir, "runs").len() == 4);
        }
        Phase::Holding | Phase::Waiting | Phase::WaitingForOne => unreachable!("these have a buffer"),
    }
    if phase == Phase::Ending {
        drop(feed);
        let stop = thread::spawn(move || pipe.stop());
        // it waits for an hour: that it has begun is not seen from outside
        linger();
        assert!(!stop.is_finished());
        note(&dir, "there", "");
        return finish(end, &handle, stop, ());
    }
    note(&dir, "there", "");
    finish(end, &handle, pipe, feed);
}

/// `_feed` is dropped first: a stop waits for the thread that pulls from it.
fn finish<P, F>(end: End, handle: &WorkersHandle, pipe: P, _feed: F) {
    match end {
        End::Kill | End::Terminate | End::Interrupt => loop {
            thread::park();
        },
        End::Panic => panic!("the end of {} workers", handle.workers()),
        End::PanicElsewhere => {
            std::mem::forget(pipe);
            panic!("the end of {} workers", handle.workers());
        }
        End::Exit => std::process::exit(7),
        End::Abort => std::process::abort(),
    }
}

/// Starts the parent, in a group of its own as a terminal does.
fn start(test: &str, dir: &Path, phase: Phase, end: End) -> Child {
    let mut command = child(test);
    if sigint_is_ignored() {
        command = with_sigint(&command);
    }
    command.env(DIR, dir).env(PHASE, format!("{phase:?}")).env(END, format!("{end:?}")).process_group(0);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the parent starts")
}

/// Whether whoever started this process has it ignore Ctrl-C, as a shell does with what runs in the background. It is inherited.
fn sigint_is_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
    ignored.is_some_and(|signals| signals & 1 << (Signal::INT.as_raw() - 1) != 0)
}

/// The same command, for which Ctrl-C is what it is in a terminal.
fn with_sigint(command: &Command) -> Command {
    let mut outer = Command::new("env");
    outer.arg("--default-signal=INT").arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        outer.env(name, value.expect("the child's variables are set"));
    }
    outer
}

fn pid(child: &Child) -> Pid {
    Pid::from_child(child)
}

/// Ends it by a signal, if that is how.
fn end(parent: &mut Child, how: End) -> ExitStatus {
    match how {
        End::Kill => kill_process(pid(parent), Signal::KILL).expect("it lives"),
        End::Terminate => kill_process(pid(parent), Signal::TERM).expect("it lives"),
        End::Interrupt => kill_process_group(pid(parent), Signal::INT).expect("it lives"),
        _ => {}
    }
    parent.wait().expect("it is a child")
}

/// "Within a second" is what is promised; on a busy machine others may have their turns between.
fn assert_gone(dir: &Path, what: &str) {
    let began = Instant::now();
    wait_until(|| family(dir).is_empty());
    let took = began.elapsed();
    assert!(took < Duration::from_secs(10), "{what}: workers were gone after {took:?}");
}

/// What the process maps of buffers in `/dev/shm`.
fn buffers(pid: u32) -> Vec<String> {
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).unwrap_or_default();
    maps.lines().filter(|line| line.contains("/dev/shm/tinypl.")).map(str::to_owned).collect()
}

/// What a parent and its workers have left in `/dev/shm`.
fn left_in_dev_shm(pids: &[u32]) -> Vec<String> {
    let entries = std::fs::read_dir("/dev/shm").into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| pids.iter().any(|pid| name.starts_with(&format!("tinypl.{pid:x}.")))).collect()
}

#[test]
fn workers_go_with_their_parent() {
    const NAME: &str = "workers_go_with_their_parent";
    let _tidy = tidy(600);
    if is_child(NAME) {
        return parent();
    }
    for phase in PHASES {
        for how in ENDS {
            let scratch = Scratch::new();
            let mut parent = start(NAME, &scratch.dir(), phase, how);
            await_note(&scratch.dir(), "there");
            let pids = family(&scratch.dir());
            let lives_on = matches!(how, End::Kill | End::Terminate | End::Interrupt);
            if lives_on && phase.has_a_buffer() {
                assert_eq!(pids.len(), 3, "{phase:?}, {how:?}: the parent and two workers");
                assert!(pids.iter().all(|pid| !buffers(*pid).is_empty()), "{phase:?}, {how:?}: all have the buffer");
            }
            let status = end(&mut parent, how);
            assert!(!status.success(), "{phase:?}, {how:?}: {status}");
            assert_gone(&scratch.dir(), &format!("{phase:?}, {how:?}"));
            assert_eq!(left_in_dev_shm(&pids), [""; 0], "{phase:?}, {how:?}");
            // where a worker has the room another may get it: that one may be ended first, while the parent still hears the other
            if phase == Phase::Waiting {
                assert_eq!(notes(&scratch.dir(), "got"), [""; 0], "{how:?}: there was room all of a sudden");
            }
            if matches!(phase, Phase::Busy | Phase::Ending) {
                assert_eq!(notes(&scratch.dir(), "runs").len(), 2, "{how:?}: another item was started");
            }
        }
    }
}

/// At any moment since the parent started, its workers' first instructions included.
#[test]
fn workers_go_with_their_parent_while_they_start() {
    const NAME: &str = "workers_go_with_their_parent_while_they_start";
    let _tidy = tidy(600);
    if is_child(NAME) {
        let dir = PathBuf::from(env::var_os(DIR).unwrap());
        let pause = notes(&dir, "pause")[0].parse().unwrap();
        let how = *ENDS.iter().find(|end| format!("{end:?}") == env::var(END).unwrap()).unwrap();
        note(&dir, "begun", "");
        let mut stage = process::map(source((0..).map(move |n| Errand::new(&dir, n))), run).workers(4);
        let handle = stage.handle();
        let pipe = Pipeline::new(stage);
        if matches!(how, End::Panic | End::PanicElsewhere) {
            tinypl_tests::work(pause);
            return finish(how, &handle, pipe, ());
        }
        return pipe.for_each(drop);
    }
    let mut random = Random::new(1);
    for round in 0..rounds(100) {
        let scratch = Scratch::new();
        let how = [End::Kill, End::Terminate, End::Interrupt, End::Panic, End::PanicElsewhere][round as usize % 5];
        let pause = random.below(8000);
        note(&scratch.dir(), "pause", pause);
        let mut parent = start(NAME, &scratch.dir(), Phase::Ready, how);
        await_note(&scratch.dir(), "begun");
        // one that is to panic waits itself
        if !matches!(how, End::Panic | End::PanicElsewhere) {
            tinypl_tests::work(pause);
        }
        let status = end(&mut parent, how);
        assert!(!status.success(), "{how:?}: {status}");
        assert_gone(&scratch.dir(), &format!("{how:?}"));
    }
}

/// What a worker's own children hold open does not keep it: here they inherit nothing of ours.
#[test]
fn a_program_that_a_worker_started() {
    const NAME: &str = "a_program_that_a_worker_started";
    let _tidy = tidy(300);
    if is_child(NAME) {
        let dir = PathBuf::from(env::var_os(DIR).unwrap());
        let f = |dir: PathBuf| {
            // without the environment: it is none of the family
            let sleep = std::process::Command::new("sleep").arg("600").env_clear().env("PATH", "/usr/bin:/bin").spawn();
            note(&dir, "sleep", sleep.expect("`sleep` is a program everywhere").id());
            Errand::always(&dir, 0, Deed::Spin).run()
        };
        return Pipeline::new(process::map(source([dir]), f).workers(1)).for_each(drop);
    }
    let scratch = Scratch::new();
    let mut parent = start(NAME, &scratch.dir(), Phase::Busy, End::Kill);
    wait_until(|| runs_of(&scratch.dir(), 0).len() == 1);
    end(&mut parent, End::Kill);
    assert_gone(&scratch.dir(), "with a program");
    let sleep: i32 = notes(&scratch.dir(), "sleep")[0].parse().unwrap();
    kill_process(Pid::from_raw(sleep).unwrap(), Signal::KILL).expect("it is nobody's of ours, and lives on");
}

/// A process that the parent forked lives on, and holds all that the parent had open.
#[test]
fn a_parent_whose_sockets_outlive_it() {
    const NAME: &str = "a_parent_whose_sockets_outlive_it";
    let _tidy = tidy(300);
    if is_child(NAME) {
        let dir = PathBuf::from(env::var_os(DIR).unwrap());
        let (feed, errands) = mpsc::channel();
        let pipe = Pipeline::new(process::map(source(errands), run).workers(2));
        (0..2).for_each(|n| feed.send(Errand::always(&dir, n, Deed::Spin)).unwrap());
        wait_until(|| notes(&dir, "runs").len() == 2);
        note(&dir, "holder", hold_sockets().id());
        return pipe.for_each(drop);
    }
    for how in [End::Kill, End::Terminate] {
        let scratch = Scratch::new();
        let mut parent = start(NAME, &scratch.dir(), Phase::Busy, how);
        wait_until(|| notes(&scratch.dir(), "holder").len() == 1);
        end(&mut parent, how);
        assert_gone(&scratch.dir(), "with a holder");
        let holder: i32 = notes(&scratch.dir(), "holder")[0].parse().unwrap();
        kill_process(Pid::from_raw(holder).unwrap(), Signal::KILL).expect("it is nobody's of ours, and lives on");
    }
}

/// A parent that is stopped for a while is none that is gone.
#[test]
fn a_parent_that_is_stopped() {
    const NAME: &str = "a_parent_that_is_stopped";
    let _tidy = tidy(300);
    if is_child(NAME) {
        let dir = PathBuf::from(env::var_os(DIR).unwrap());
        let errands: Vec<_> =
            (0..20).map(|n| Errand::always(&dir, n, if n == 10 { Deed::Wait } else { Deed::Work })).collect();
        let all = Pipeline::new(process::map(source(errands), |errand| errand.run()).workers(1)).collect::<Vec<_>>();
        return note(&dir, "all", all.len());
    }
    let scratch = Scratch::new();
    let mut parent = start(NAME, &scratch.dir(), Phase::Busy, End::Exit);
    wait_until(|| runs_of(&scratch.dir(), 10).len() == 1);
    kill_process(pid(&parent), Signal::STOP).unwrap();
    wait_until(|| stands_still(parent.id()));
    note(&scratch.dir(), "go", "");
    wait_until(|| {
        runs_of(&scratch.dir(), 11).len() == 1 || {
            linger();
            true
        }
    });
    assert_eq!(family(&scratch.dir()).len(), 2);
    kill_process(pid(&parent), Signal::CONT).unwrap();
    assert!(parent.wait().unwrap().success());
    assert_eq!(notes(&scratch.dir(), "all"), ["20"]);
}
