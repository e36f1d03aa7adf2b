//! Python's peers: a script that does `n` items, looks at the clock itself, and prints what it found.

use crate::options::Python;
use crate::race::Run;
use std::process::{Command, Stdio};

/// Runs `script` (in `benches/python/`) with these arguments, and `n`.
///
/// It prints the digest, the seconds that its items took, and the CPU seconds. Its clock starts when its workers run and
/// stops at the last result: that Python and they have to start and end doesn't count.
///
/// # Panics
///
/// If the script fails.
#[must_use]
pub fn run(python: &Python, script: &str, args: &[&str], n: u64) -> Run {
    let mut command = Command::new(python.executable());
    command.arg(python.scripts().join(script)).args(args).arg(n.to_string());
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output().expect("Python starts");
    assert!(output.status.success(), "{script} {args:?} {n}: {}", output.status);
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let figures: Vec<&str> = printed.split_whitespace().collect();
    let [digest, seconds, cpu] = figures[..] else { panic!("{script} {args:?} {n} printed {printed:?}") };
    Run {
        digest: digest.parse().expect("a whole number"),
        seconds: seconds.parse().expect("seconds"),
        cpu: cpu.parse().expect("seconds"),
    }
}
