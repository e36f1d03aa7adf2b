//! What processes tell one another in tests: files in a directory of their own, for a function in a worker captures nothing.
use crate::wait_until;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::{env, process};

/// A directory that goes when this is dropped.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    /// An empty one.
    #[expect(clippy::new_without_default, reason = "it makes a directory")]
    pub fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("tinypl-tests-{}-{}", process::id(), COUNT.fetch_add(1, SeqCst));
        let dir = env::temp_dir().join(name);
        fs::create_dir(&dir).expect("the directory for temporary files can be written to");
        Self(dir)
    }

    /// Where it is.
    pub fn dir(&self) -> PathBuf {
        self.0.clone()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Adds a line to a file, in one write: lines of several processes don't mix, and one that was killed later has written.
pub fn note(dir: &Path, name: &str, line: impl std::fmt::Display) {
    let mut file = OpenOptions::new().append(true).create(true).open(dir.join(name)).expect("a file in the directory");
    file.write_all(format!("{line}\n").as_bytes()).expect("a line is written");
}

/// The lines of a file; none while it does not exist.
pub fn notes(dir: &Path, name: &str) -> Vec<String> {
    fs::read_to_string(dir.join(name)).unwrap_or_default().lines().map(str::to_owned).collect()
}

/// Waits until the file exists.
pub fn await_note(dir: &Path, name: &str) {
    wait_until(|| dir.join(name).exists());
}
