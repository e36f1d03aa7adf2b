//! Draws the graph of a pipeline.
//!
//! ```text
//! cargo run --release --example shape -- [FILE]
//! ```
//!
//! It writes SVG into `FILE`, or Mermaid if its name ends in `.mmd` and DOT if it ends in `.dot`. Without `FILE` the SVG
//! goes to stdout. The pipeline counts words and looks for palindromes, in two tracks that share their upstream. It is built,
//! drawn and dropped: nobody takes an item, and of what its workers have begun nothing is left.
//!
//! It exits with 0 when it has written, with 2 when `FILE` can't be written.

use std::{env, fs, io, io::Write, path::Path, process::ExitCode};
use tinypl::{Graph, pipeline};

fn main() -> ExitCode {
    let file = env::args_os().nth(1);
    let graph = graph();
    let Some(file) = file.as_ref().map(Path::new) else {
        return exit(io::stdout().write_all(graph.to_svg().as_bytes()), Path::new("stdout"));
    };
    let picture = match file.extension().and_then(|extension| extension.to_str()) {
        Some("mmd") => graph.to_mermaid(),
        Some("dot") => graph.to_dot(),
        _ => graph.to_svg(),
    };
    exit(fs::write(file, picture), file)
}

fn exit(result: io::Result<()>, file: &Path) -> ExitCode {
    let Err(error) = result else { return ExitCode::SUCCESS };
    eprintln!("shape: `{}`: {error}", file.display());
    ExitCode::from(2)
}

/// Text goes through an order, with a marker after each page; two tracks go on from there.
fn graph() -> Graph {
    let text = ["never odd or even", "step on no pets", "to be or not to be"].map(String::from);
    pipeline! {
        let words = text
            |> page @ marker::insert_periodic(2)
            |> o @ order::save(maxsize = 64)
            |> thread::map(lower_case, workers = 4, maxsize = 32)
            |> filter(|line| line.contains(' '))
            |> order::load(o);
        let lengths = words
            |> marker::on(|| eprintln!("a page"), page, consume = true)
            |> map(word_count)
            |> partition(16);
        let palindromes = words
            |> process::map(palindromes, workers = 2, on_death = skip)
            |> flatten()
            |> take(100);
        let pairs = lengths |> zip(palindromes);
    }
    pairs.graph()
}

fn lower_case(line: String) -> String {
    line.to_lowercase()
}

fn word_count(line: String) -> usize {
    line.split(' ').count()
}

/// The words that read the same from both ends.
fn palindromes(line: String) -> Vec<String> {
    line.split(' ').filter(|word| word.chars().eq(word.chars().rev())).map(str::to_owned).collect()
}
