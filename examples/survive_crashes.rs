//! Runs a fragile parser over files, three of which kill it; the pipeline goes on.
//!
//! ```text
//! cargo run --release --example survive_crashes -- [DIR]
//! ```
//!
//! The parser measures how deeply the brackets of a text nest. It is what one inherits: it recurses without a limit, ends
//! the process at what it takes for impossible, and has a loop that never ends. In a thread each of these would take the
//! whole program with it, or never give it back. In a worker process it costs one item: `on_death = skip` leaves out the
//! item that a worker died of, `item_timeout` ends one that hangs, and another worker takes over.
//!
//! It reads all text files below `DIR` (the repository that it was built from, if none is named) and three texts of its own
//! between them that nobody should ever have written. It exits with 0 when it has come through, with 2 when `DIR` is no
//! folder.

use std::{collections::BTreeSet, env, fs, hint::black_box, path::Path, process::ExitCode, time::Duration};
use tinypl::pipeline;
use walkdir::WalkDir;

/// How many files are printed.
const TOP: usize = 5;

fn main() -> ExitCode {
    let root = env::args_os().nth(1).unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("..").into());
    if !Path::new(&root).is_dir() {
        eprintln!("survive_crashes: `{}` is not a folder", Path::new(&root).display());
        return ExitCode::from(2);
    }
    let mut texts = texts(Path::new(&root));
    let middle = texts.len() / 2;
    texts.splice(middle..middle, hostile());
    let names: BTreeSet<String> = texts.iter().map(|(name, _)| name.clone()).collect();

    pipeline! {
        let mut parsed =
            texts
            |> o @ order::save(64)
            |> workers @ process::map(
                |(name, text): (String, String)| { let depth = depth(text.as_bytes(), &mut 0); (name, depth) },
                workers = 2, on_death = skip, item_timeout = Duration::from_secs(1))
            |> order::load(o);
    }
    let mut depths: Vec<(String, u32)> = parsed.by_ref().collect();

    let survivors: BTreeSet<_> = depths.iter().map(|(name, _)| name.clone()).collect();
    println!("{} of {} texts were parsed, {} workers were replaced", depths.len(), names.len(), workers.restarts());
    for name in names.difference(&survivors) {
        println!("left out: {name}");
    }
    depths.sort_by_key(|(name, depth)| (u32::MAX - depth, name.clone()));
    println!("the deepest:");
    for (name, depth) in depths.iter().take(TOP) {
        println!("{depth:>4}  {name}");
    }
    ExitCode::SUCCESS
}

/// The names and contents of all text files below a folder, in the order of their paths; hidden folders are left out, and
/// those that say they are a cache.
fn texts(root: &Path) -> Vec<(String, String)> {
    let enter = |path: &Path| {
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        path == root || !(hidden || path.join("CACHEDIR.TAG").exists())
    };
    let files = WalkDir::new(root).sort_by_file_name().into_iter().filter_entry(|entry| enter(entry.path()));
    let texts = files.flatten().filter(|entry| entry.file_type().is_file()).filter_map(|entry| {
        let name = entry.path().strip_prefix(root).unwrap_or(entry.path());
        Some((name.display().to_string(), fs::read_to_string(entry.path()).ok()?))
    });
    texts.collect()
}

/// What kills the parser, each in its own way.
fn hostile() -> [(String, String); 3] {
    [
        ("(made up) overflows the stack".to_owned(), "[".repeat(4 << 20)),
        ("(made up) aborts".to_owned(), "{ \u{7f} }".to_owned()),
        ("(made up) never ends".to_owned(), "( \u{1b} )".to_owned()),
    ]
}

/// How deeply brackets nest from here to the bracket that closes, or to the end. Fragile: see above.
fn depth(text: &[u8], at: &mut usize) -> u32 {
    let mut deepest = 0;
    while let Some(byte) = text.get(*at) {
        match byte {
            0x1b => {
                black_box(&at); // forgets to go on
                continue;
            }
            0x7f => std::process::abort(), // "can't happen"
            _ => *at += 1,
        }
        match byte {
            b'(' | b'[' | b'{' => deepest = deepest.max(1 + black_box(depth(text, at))),
            b')' | b']' | b'}' => return deepest,
            _ => {}
        }
    }
    deepest
}
