//! What one run measures, from its command line.

use std::path::{Path, PathBuf};
use std::time::Duration;

/// A Python that has peers installed (`python.sh` and `torch.sh` make them).
#[derive(Debug, Clone)]
pub struct Python(PathBuf);

impl Python {
    pub(crate) fn executable(&self) -> &Path {
        &self.0
    }

    pub(crate) fn scripts(&self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("python")
    }
}

/// What one run measures.
///
/// `cargo bench` passes `--bench`; without it (`cargo test --benches`, or the binary by hand) the
/// run is a short check that every contestant computes what it should.
#[derive(Debug, Clone)]
pub struct Options {
    quick: bool,
    titles: Vec<String>,
    python: Option<Python>,
    torch: Option<Python>,
}

impl Options {
    /// Reads the command line, keeps this process to two CPUs and gives rayon two threads.
    ///
    /// Call it first in `main`: threads inherit the CPUs.
    #[must_use]
    pub fn start() -> Self {
        let mut full = false;
        let mut quick = false;
        let mut titles = Vec::new();
        let (mut python, mut torch) = (None, None);
        for arg in std::env::args().skip(1) {
            match arg.as_str() {
                "--bench" => full = true,
                "--quick" => quick = true,
                _ => match arg.split_once('=') {
                    Some(("--python", path)) => python = Some(Python(path.into())),
                    Some(("--torch", path)) => torch = Some(Python(path.into())),
                    _ if arg.starts_with('-') => {
                        eprintln!(
                            "unknown option {arg}: give --quick, --python=PATH, --torch=PATH, or parts of the titles to run"
                        );
                        std::process::exit(2);
                    }
                    _ => titles.push(arg),
                },
            }
        }
        let cpus = crate::usage::keep_to_cpus(2);
        if cpus < 2 {
            println!("only {cpus} CPU here: the targets are meant for 2");
        }
        // An error means that the pool was built before, which only a second call could do.
        let _ = rayon::ThreadPoolBuilder::new().num_threads(2).build_global();
        let quick = quick || !full;
        if quick {
            println!("a quick run: it checks the contestants, its times say little\n");
        }
        Self { quick, titles, python, torch }
    }

    /// The Python whose multiprocessing and whose tinypl are peers, if it was given.
    #[must_use]
    pub fn python(&self) -> Option<&Python> {
        self.python.as_ref()
    }

    /// The Python that has torch and torchvision, if it was given.
    #[must_use]
    pub fn torch(&self) -> Option<&Python> {
        self.torch.as_ref()
    }

    /// Whether the times do not matter in this run.
    #[must_use]
    pub fn quick(&self) -> bool {
        self.quick
    }

    /// How a target's verdict reads; there is none in a quick run.
    #[must_use]
    pub fn verdict(&self, met: bool) -> String {
        match (self.quick, met) {
            (true, _) => "(quick run)",
            (false, true) => "met",
            (false, false) => "NOT MET",
        }
        .into()
    }

    /// Whether a table of this title was asked for.
    #[must_use]
    pub fn wants(&self, title: &str) -> bool {
        self.titles.is_empty() || self.titles.iter().any(|part| title.contains(part.as_str()))
    }

    pub(crate) fn rounds(&self) -> usize {
        if self.quick { 1 } else { 11 }
    }

    /// How long one contestant runs in a round.
    pub(crate) fn run_time(&self) -> Duration {
        Duration::from_millis(if self.quick { 2 } else { 150 })
    }
}
