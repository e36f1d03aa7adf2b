//! Counts the words of all text files below a folder and prints the 20 most frequent.
//!
//! ```text
//! cargo run --release --example wordcount -- [DIR]
//! ```
//!
//! Without `DIR` it counts the repository that it was built from.
//!
//! - A word is a longest run of letters, in lower case: `Don't` is `don` and `t`.
//! - A text file is one of UTF-8. A file that is not, or that can't be read, is named on stderr and
//!   skipped; so is a folder.
//! - Left out are `.git` and the folders that say they are a cache, by a file `CACHEDIR.TAG` (as
//!   Cargo's `target` does): what they hold nobody wrote. `DIR` itself is always entered.
//! - Symbolic links below `DIR` are not followed: nothing is counted twice, no loop is walked.
//! - The same files give the same output: words with equal counts are sorted, and skipped files are
//!   named in the order of their paths.
//!
//! It exits with 0 when it has counted, with 2 when `DIR` is no folder, and with 1 when stdout
//! can't be written.

use std::{
    collections::HashMap,
    env, fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    thread::available_parallelism,
};
use tinypl::pipeline;
use walkdir::{DirEntry, WalkDir};

/// How many words are printed.
const TOP: usize = 20;

/// How many files may be on their way at a time, from the walk to the sum.
const UNDER_WAY: usize = 64;

/// How often each word was seen.
type Counts = HashMap<String, u64>;

#[derive(Default)]
struct Total {
    files: u64,
    skipped: u64,
    words: Counts,
}

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args_os().skip(1).collect();
    let root = match &arguments[..] {
        [] => Path::new(env!("CARGO_MANIFEST_DIR")).join(".."),
        [dir] if Path::new(dir).is_dir() => PathBuf::from(dir),
        [dir] => {
            eprintln!("wordcount: `{}` is not a folder", dir.display());
            return ExitCode::from(2);
        }
        _ => {
            eprintln!("usage: wordcount [DIR]");
            return ExitCode::from(2);
        }
    };
    match print(&count_below(&root)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("wordcount: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Counts the files below `root` on all processors.
fn count_below(root: &Path) -> Total {
    let workers = available_parallelism().map_or(1, usize::from);
    pipeline! {
        files(root)
        |> o @ order::save(UNDER_WAY)
        |> thread::map(|file| count_file(&file?), workers)
        |> order::load(o)
        |> fold(Total::default(), Total::add)
    }
}

impl Total {
    fn add(mut self, file: Result<Counts, String>) -> Self {
        match file {
            Ok(words) => {
                self.files += 1;
                for (word, n) in words {
                    *self.words.entry(word).or_default() += n;
                }
            }
            Err(message) => {
                self.skipped += 1;
                eprintln!("skipped {message}");
            }
        }
        self
    }

    /// The most frequent words, those with equal counts sorted.
    fn top(&self) -> Vec<(&str, u64)> {
        let mut words: Vec<_> = self.words.iter().map(|(word, n)| (word.as_str(), *n)).collect();
        words.sort_unstable_by(|(a, n), (b, m)| m.cmp(n).then(a.cmp(b)));
        words.truncate(TOP);
        words
    }
}

/// The files below `root`, sorted by path, or what keeps a folder from being read.
fn files(root: &Path) -> impl Iterator<Item = Result<PathBuf, String>> + Send + use<> {
    WalkDir::new(root)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| entry.depth() == 0 || !is_left_out(entry))
        .filter(|entry| entry.as_ref().map_or(true, |entry| entry.file_type().is_file()))
        .map(|entry| entry.map(DirEntry::into_path).map_err(|error| error.to_string()))
}

fn is_left_out(entry: &DirEntry) -> bool {
    entry.file_type().is_dir() && (entry.file_name() == ".git" || entry.path().join("CACHEDIR.TAG").exists())
}

fn count_file(path: &Path) -> Result<Counts, String> {
    let text = fs::read_to_string(path).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidData => format!("{}: not UTF-8", path.display()),
        _ => format!("{}: {error}", path.display()),
    })?;
    Ok(count_words(&text))
}

fn count_words(text: &str) -> Counts {
    let text = text.to_lowercase();
    let counts = pipeline! {
        text.split(|c: char| !c.is_alphabetic())
        |> filter(|word| !word.is_empty())
        |> fold(HashMap::new(), |mut counts, word| {
            *counts.entry(word).or_default() += 1;
            counts
        })
    };
    counts.into_iter().map(|(word, n)| (word.to_owned(), n)).collect()
}

/// The words on stdout, what was counted on stderr.
fn print(total: &Total) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for (word, n) in total.top() {
        writeln!(out, "{n:>9} {word}")?;
    }
    eprintln!("{} files counted, {} skipped", total.files, total.skipped);
    Ok(())
}
