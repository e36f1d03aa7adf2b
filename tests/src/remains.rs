//! What a process stage must not leave behind: processes, threads, descriptors, shared memory.
use crate::process::alone;
use crate::wait_until;
use crate::watchdog::{Watchdog, watchdog};
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::net::sockopt::socket_peercred;
use rustix::process::{Pid, Resource, Rlimit, Signal, getpid, getppid, getrlimit, kill_process, setrlimit};
use rustix::process::{PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};
use std::collections::BTreeMap;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::MutexGuard;
use std::{fs, process, thread};

/// Runs a test alone in its process and under a watchdog. When it is dropped, all is as it was before.
#[must_use = "it looks when it is dropped: `let _tidy = tidy(60);`"]
#[derive(Debug)]
pub struct Tidy {
    descriptors: BTreeMap<String, PathBuf>,
    _watchdog: Watchdog,
    _alone: MutexGuard<'static, ()>,
}

/// See [`Tidy`]; the watchdog bites after `seconds`.
pub fn tidy(seconds: u64) -> Tidy {
    let alone = alone();
    let watchdog = watchdog(seconds);
    // workers die here on purpose, and are not to leave their memory on the disk
    let limit = getrlimit(Resource::Core);
    setrlimit(Resource::Core, Rlimit { current: Some(0), ..limit }).expect("a limit may be lowered");
    assert_eq!(children(), Vec::<u32>::new(), "before the test");
    Tidy { descriptors: descriptors(), _watchdog: watchdog, _alone: alone }
}

impl Tidy {
    /// That all is as it was before: at once for processes and descriptors, a joined thread may stand there for a moment.
    #[track_caller]
    pub fn check(&self) {
        assert_eq!(children(), Vec::<u32>::new(), "processes are left over");
        let mut left = descriptors();
        // what was there before may have gone since: tests that are not alone open files, too
        left.retain(|number, path| self.descriptors.get(number) != Some(path));
        assert_eq!(left, BTreeMap::new(), "descriptors are left over");
        assert_eq!(segments(), [""; 0], "shared memory is left over");
        wait_until(|| threads() == 0);
    }
}

impl Drop for Tidy {
    fn drop(&mut self) {
        if !thread::panicking() {
            self.check();
        }
    }
}

/// The children of this process, zombies too.
pub fn children() -> Vec<u32> {
    pids().filter(|pid| stat(*pid).is_some_and(|stat| stat.parent == process::id())).collect()
}

/// The living processes that were started with this in their environment: a test's, and all that come from it.
pub fn family(tag: &Path) -> Vec<u32> {
    let tag = tag.as_os_str().as_encoded_bytes();
    let environ = |pid| fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    pids().filter(|pid| environ(*pid).windows(tag.len()).any(|part| part == tag)).collect()
}

/// Whether there is such a process, and it is no zombie.
pub fn lives(pid: u32) -> bool {
    stat(pid).is_some_and(|stat| stat.state != 'Z')
}

/// Sends a child of this process a signal. Whether it was one: an id of one that has ended may be anybody's.
pub fn signal_child(pid: u32, signal: Signal) -> bool {
    let pid_of = |pid: u32| Pid::from_raw(pid.cast_signed()).expect("a process id is not 0");
    stat(pid).is_some_and(|stat| stat.parent == process::id()) && kill_process(pid_of(pid), signal).is_ok()
}

/// Starts a process that holds every socket of this one for ten minutes, as one that was forked does. Without the environment: it is none
/// of the [`family`].
pub fn hold_sockets() -> Child {
    let copies = sockets();
    for copy in &copies {
        fcntl_setfd(copy, FdFlags::empty()).expect("it may be inherited");
    }
    let child = Command::new("sleep").arg("600").stdin(Stdio::null()).env_clear().env("PATH", "/usr/bin:/bin").spawn();
    drop(copies);
    child.expect("`sleep` is a program everywhere")
}

/// In a worker process: says this to the parent, by the very socket that results take.
pub fn say_to_parent(bytes: &[u8]) {
    // standard input and the like may be sockets, too, and the worker may hold its own one more than once
    let theirs = sockets().into_iter().find(|fd| socket_peercred(fd).is_ok_and(|peer| Some(peer.pid) == getppid()));
    UnixStream::from(theirs.expect("a worker has a socket")).write_all(bytes).expect("the parent listens");
}

/// Copies of all sockets of this process.
fn sockets() -> Vec<OwnedFd> {
    let this = pidfd_open(getpid(), PidfdFlags::empty()).expect("Linux 5.3");
    let links = fs::read_dir("/proc/self/fd").expect("/proc shows descriptors").flatten();
    let sockets =
        links.filter(|fd| fs::read_link(fd.path()).is_ok_and(|link| link.to_string_lossy().starts_with("socket:")));
    let numbers = sockets.map(|fd| fd.file_name().to_string_lossy().parse::<i32>().expect("a number"));
    numbers.map(|fd| pidfd_getfd(&this, fd, PidfdGetfdFlags::empty()).expect("one's own descriptor")).collect()
}

/// How many bytes of a process are in memory.
pub fn resident(pid: u32) -> usize {
    let statm = fs::read_to_string(format!("/proc/{pid}/statm")).unwrap_or_default();
    4096 * statm.split(' ').nth(1).map_or(0, |pages| pages.parse::<usize>().unwrap_or(0))
}

/// The states of a process's threads, as `ps` shows them.
pub fn states(pid: u32) -> Vec<char> {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    tasks.flatten().filter_map(|task| stat(task.file_name().to_str()?.parse().ok()?)).map(|stat| stat.state).collect()
}

/// Whether all of a process stands still, after `SIGSTOP`.
pub fn stands_still(pid: u32) -> bool {
    let states = states(pid);
    !states.is_empty() && states.iter().all(|state| *state == 'T')
}

struct Stat {
    state: char,
    parent: u32,
}

fn stat(pid: u32) -> Option<Stat> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // the name in parentheses may hold anything
    let mut fields = stat.rsplit(')').next()?.split_whitespace();
    Some(Stat { state: fields.next()?.chars().next()?, parent: fields.next()?.parse().ok()? })
}

fn pids() -> impl Iterator<Item = u32> {
    let processes = fs::read_dir("/proc").expect("worker processes exist on Linux alone, and there is /proc");
    processes.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn descriptors() -> BTreeMap<String, PathBuf> {
    let all = fs::read_dir("/proc/self/fd").expect("/proc shows descriptors");
    let all = all
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.to_owned(), fs::read_link(entry.path()).ok()?)));
    // not the one that reads this, nor those by which std counts the CPUs for a test that is not alone
    all.filter(|(_, link)| !link.starts_with("/proc/") && !link.starts_with("/sys/fs/cgroup/")).collect()
}

/// How many threads serve process stages, and shared memory.
fn threads() -> usize {
    let tasks = fs::read_dir("/proc/self/task").expect("/proc shows threads").flatten();
    let names = tasks.filter_map(|task| fs::read_to_string(task.path().join("comm")).ok());
    names.filter(|name| name.starts_with("process::") || name.starts_with("tinypl-shm")).count()
}

/// What lies in `/dev/shm` of this process, or of one that has ended. Others may be at work meanwhile.
fn segments() -> Vec<String> {
    let Ok(all) = fs::read_dir("/dev/shm") else { return Vec::new() };
    let names = all.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let is_left = |name: &str| {
        let pid = name.strip_prefix("tinypl.").and_then(|rest| u32::from_str_radix(rest.split('.').next()?, 16).ok());
        pid.is_some_and(|pid| pid == process::id() || !lives(pid))
    };
    names.filter(|name| is_left(name)).collect()
}
