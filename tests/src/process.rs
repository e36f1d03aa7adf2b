//! The process that a test runs in: its threads, its CPU time, and one of its own where others would disturb.
use std::fmt::Display;
use std::io::{Write, stderr};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{env, fs};

const CHILD: &str = "TINYPL_TESTS_CHILD";

/// Keeps other tests of this process, as far as they ask for it too, from running.
pub fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Says that something can't be tested here, and why. Loudly: what `eprintln!` prints in a test that passes, nobody sees.
pub fn skipped(why: &str) {
    let _ = writeln!(stderr(), "SKIPPED: {why}");
}

/// How many workers of queues live in this process: threads named after `thread::…` stages, and a loader's. `None`, said loudly, where
/// there is no `/proc`.
///
/// A thread that was joined may stand there for a moment longer.
pub fn workers() -> Option<usize> {
    let Ok(tasks) = fs::read_dir("/proc/self/task") else {
        skipped("threads can't be counted here, there is no /proc/self/task");
        return None;
    };
    // one that ends between the two calls has no name
    let names = tasks.flatten().filter_map(|task| fs::read_to_string(task.path().join("comm")).ok());
    let is_worker = |name: &String| name.starts_with("thread::") || name.starts_with("dataloader::");
    Some(names.filter(is_worker).count())
}

/// The CPU time that all threads of this process have used so far, in milliseconds. `None` where there is no `/proc`.
pub fn cpu_millis() -> Option<u64> {
    cpu_millis_of("self")
}

/// The same of a process that lives, by its id.
pub fn cpu_millis_of(pid: impl Display) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // the second field, the name in parentheses, may hold blanks; user and system time are the 14th and 15th
    let fields: Vec<&str> = stat.rsplit(')').next()?.split_whitespace().collect();
    let ticks: u64 = fields.get(11..13)?.iter().map(|field| field.parse::<u64>().ok()).sum::<Option<_>>()?;
    Some(ticks * 10) // Linux shows them in hundredths of a second on every architecture
}

/// A command that runs this very test in a process of its own, where [`is_child`] holds. What it prints is not captured.
pub fn child(test: &str) -> Command {
    let program = env::current_exe().expect("a test has a file");
    let mut command = Command::new(program);
    command.args([test, "--exact", "--nocapture", "--test-threads=1"]).env(CHILD, test);
    command
}

/// Whether this is the process that [`child`] started for this test.
pub fn is_child(test: &str) -> bool {
    env::var(CHILD).is_ok_and(|name| name == test)
}
