//! Items for worker processes that do what items must not do.
use crate::scratch::{await_note, note, notes};
use rustix::process::{Signal, getpid, kill_process};
use serde::{Deserialize, Serialize};
use std::hint::{black_box, spin_loop};
use std::path::{Path, PathBuf};
use std::{process, thread};

/// An item that knows what the function is to do with it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Errand {
    /// Where it leaves its notes: a line in `runs` each time that it runs, with its number and the worker's.
    pub dir: PathBuf,
    /// Its number.
    pub n: u64,
    /// What it does.
    pub deed: Deed,
    /// In how many of its runs; in later ones it only works.
    pub times: usize,
}

/// What an [`Errand`] does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Deed {
    /// What it should.
    Work,
    /// Ends the worker by `SIGKILL`, as the system does for want of memory.
    Kill,
    /// Aborts.
    Abort,
    /// Ends the worker by `SIGSEGV`.
    Segfault,
    /// Calls itself until there is no stack left.
    Overflow,
    /// Ends the worker as a program ends.
    Exit(i32),
    /// Panics.
    Panic,
    /// Stops the worker, as `SIGSTOP` from outside; it never returns.
    Stop,
    /// Never returns, and never sleeps.
    Spin,
    /// Waits for the note `go`.
    Wait,
}

impl Errand {
    /// One that works.
    pub fn new(dir: &Path, n: u64) -> Self {
        Self { dir: dir.to_owned(), n, deed: Deed::Work, times: 0 }
    }

    /// One that does this each time that it runs.
    pub fn always(dir: &Path, n: u64, deed: Deed) -> Self {
        Self { deed, times: usize::MAX, ..Self::new(dir, n) }
    }

    /// One that does this the first time that it runs.
    pub fn once(dir: &Path, n: u64, deed: Deed) -> Self {
        Self { deed, times: 1, ..Self::new(dir, n) }
    }

    /// Runs it. Its result is its number.
    pub fn run(&self) -> u64 {
        if self.is_due() {
            self.deed.perform(&self.dir);
        }
        self.n
    }

    /// Runs it as if there were nothing but work. What there is to do a thread does that is left behind, when it finds the note
    /// `end`.
    pub fn run_first(&self) -> u64 {
        if self.is_due() {
            let Self { dir, deed, .. } = self.clone();
            thread::spawn(move || {
                await_note(&dir, "end");
                deed.perform(&dir);
            });
        }
        self.n
    }

    /// Notes that it runs. Whether it is to do more than work.
    fn is_due(&self) -> bool {
        note(&self.dir, "runs", format_args!("{} {}", self.n, process::id()));
        self.deed != Deed::Work && runs_of(&self.dir, self.n).len() <= self.times
    }
}

/// The processes that item `n` has run in so far.
pub fn runs_of(dir: &Path, n: u64) -> Vec<u32> {
    let lines = notes(dir, "runs");
    let runs = lines.iter().filter_map(|line| line.split_once(' '));
    runs.filter(|(item, _)| *item == n.to_string()).map(|(_, pid)| pid.parse().expect("a process id")).collect()
}

impl Deed {
    fn perform(self, dir: &Path) {
        match self {
            Self::Work => {}
            Self::Kill => signal(Signal::KILL),
            Self::Abort => process::abort(),
            Self::Segfault => signal(Signal::SEGV),
            Self::Overflow => {
                black_box(deep(0));
            }
            Self::Exit(status) => process::exit(status),
            Self::Panic => panic!("no more of this"),
            // its threads stop one after the other; this one is not to get any further
            Self::Stop => signal(Signal::STOP),
            Self::Spin => loop {
                spin_loop();
            },
            Self::Wait => await_note(dir, "go"),
        }
    }
}

/// Ends or stops this process, and does not return before it does.
fn signal(signal: Signal) -> ! {
    kill_process(getpid(), signal).expect("a process may signal itself");
    loop {
        thread::park();
    }
}

#[expect(unconditional_recursion, reason = "it is to overflow the stack")]
fn deep(n: u64) -> u64 {
    let here = black_box([n; 64]);
    deep(n + 1) + here[1]
}

/// The errands below `n`, of which one is another.
pub fn errands(dir: &Path, n: u64, special: Errand) -> Vec<Errand> {
    (0..n).map(|i| if i == special.n { special.clone() } else { Errand::new(dir, i) }).collect()
}
