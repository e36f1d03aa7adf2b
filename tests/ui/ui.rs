//! Wrong programs and what rustc says of them (`fail`). The corner programs that compile without a warning (`pass`) are
//! tests of their own, each a crate.
//!
//! The expected words are those of one release of rustc. `TRYBUILD=overwrite cargo test --test ui` writes them anew: then
//! read each. [`the_messages_are_short_and_point_at_the_mistake`] judges what is written, with any toolchain.
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::io::{Write, stderr};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The release whose words `fail/*.stderr` are.
const RELEASE: &str = "1.95.";

/// At most so many lines a mistake.
const LINES: usize = 15;

/// What misses that because its words are rustc's own, or for want of a place. Each still names the culprit.
#[rustfmt::skip] // a table
const EXCEPTIONS: &[Exception] = &[
    except("borrow_that_ends_before_its_scope", 1, 20, "it borrows `k`", "rustc's own words of a captured variable, with its help"),
    except("borrow_without_scope", 1, 16, "`v` does not live long enough", "rustc's own words of a borrow, which name the variable"),
    except("borrow_without_scope_above_queue", 1, 17, "it borrows `k`", "rustc's own words of a captured variable, with its help"),
    except("borrow_without_scope_in_a_closure", 1, 17, "it borrows `k`", "rustc's own words of a captured variable, with its help"),
    except("borrow_without_scope_of_a_pipeline", 1, 21, "`a` does not live long enough", "rustc's own words of a borrow, which name the variable"),
    except("empty_block", 1, 7, "empty pipeline", "there is no token to point at"),
    except("nothing_but_a_semicolon", 1, 7, "empty pipeline", "there is no token to point at"),
    except("option_type_of_a_number_of_items", 1, 17, "expected `usize`, found `i32`", "rustc adds how to convert it"),
    except("process_borrow_without_scope", 1, 19, "`v` does not live long enough", "rustc's own words of a borrow, which name the variable"),
    except("own_stage_item", 1, 17, "`double`", "the bound is the user's, so are the words rustc's"),
];

struct Exception {
    case: &'static str,
    /// For one mistake.
    errors: usize,
    lines: usize,
    /// What every message says.
    names: &'static str,
    reason: &'static str,
}

const fn except(
    case: &'static str,
    errors: usize,
    lines: usize,
    names: &'static str,
    reason: &'static str,
) -> Exception {
    Exception { case, errors, lines, names, reason }
}

#[test]
fn wrong_programs_are_refused_in_these_words() {
    match release() {
        Ok(()) => {
            let cases = trybuild::TestCases::new();
            let (quoting, others) = programs().into_iter().partition::<Vec<_>, _>(|program| quotes_std(program));
            others.iter().for_each(|program| cases.compile_fail(within(program)));
            if has_sources_of_std() {
                let n = quoting.len();
                skipped(&format!(
                    "{n} UI tests: rustc quotes its library there, where the component rust-src is installed"
                ));
            } else {
                quoting.iter().for_each(|program| cases.compile_fail(within(program)));
            }
        }
        Err(why) => skipped(&format!("the UI tests: {why}")),
    }
}

/// Whether what is expected points into the standard library. rustc quotes the lines there, if it finds them.
fn quotes_std(program: &Path) -> bool {
    let expected = program.with_extension("stderr");
    expected.exists() && read(&expected).contains("$RUST/")
}

/// Whether rustc finds the standard library's sources.
fn has_sources_of_std() -> bool {
    let output =
        Command::new(rustc()).args(["--print", "sysroot"]).output().expect("rustc runs: it has said its version");
    Path::new(String::from_utf8_lossy(&output.stdout).trim()).join("lib/rustlib/src/rust/library").exists()
}

fn rustc() -> OsString {
    std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())
}

/// Whether this is the rustc whose words are expected.
fn release() -> Result<(), String> {
    let rustc = rustc();
    let output = Command::new(&rustc).arg("--version").output().map_err(|error| format!("{rustc:?}: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let version = text.split(' ').nth(1).unwrap_or_default();
    match version.starts_with(RELEASE) && !version.contains('-') {
        true => Ok(()),
        false => Err(format!("their messages are those of rustc {RELEASE}*, this is {}", text.trim())),
    }
}

/// Says it loudly: what `eprintln!` prints in a test that passes, nobody sees. (The other tests have the same; to share it, each
/// program would wait for all that those need.)
fn skipped(why: &str) {
    let _ = writeln!(stderr(), "SKIPPED: {why}");
}

#[test]
fn the_messages_are_short_and_point_at_the_mistake() {
    let mut wrong = Vec::new();
    let mut used = BTreeSet::new();
    for program in programs() {
        let case = program.file_stem().expect("a name").to_string_lossy().into_owned();
        let source = read(&program);
        let stderr = read(&program.with_extension("stderr"));
        let exception = EXCEPTIONS.iter().find(|exception| exception.case == case);
        used.extend(exception.map(|exception| exception.case));
        for fault in faults(&source, &stderr, exception) {
            wrong.push(format!("{case}: {fault}"));
        }
    }
    for exception in EXCEPTIONS {
        if !used.contains(exception.case) {
            wrong.push(format!("{}: an exception without a program", exception.case));
        }
        if exception.reason.is_empty() {
            wrong.push(format!("{}: an exception without a reason", exception.case));
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn each_expectation_has_its_program() {
    for path in files("fail") {
        assert!(path.with_extension("rs").exists(), "{} is of no program", path.display());
    }
}

/// What is wrong with the messages of one program.
fn faults(source: &str, stderr: &str, exception: Option<&Exception>) -> Vec<String> {
    let messages = messages(stderr);
    let mistakes = mistakes(source);
    let mut faults: Vec<String> = messages.iter().flat_map(|message| faults_of(source, message)).collect();
    if messages.len() != mistakes {
        faults.push(format!("{} messages for {mistakes} mistakes", messages.len()));
    }
    let Some(Exception { errors, lines, names, .. }) = exception else {
        return faults;
    };
    if faults.is_empty() {
        return vec!["is no exception any more".to_owned()];
    }
    let mut faults = Vec::new();
    if messages.len() != errors * mistakes {
        faults
            .push(format!("{} messages for {mistakes} mistakes, even the exception has {errors} each", messages.len()));
    }
    for message in messages {
        if length(message) > *lines {
            faults.push(format!("{} lines, even the exception has {lines}", length(message)));
        }
        if !message.contains(names) {
            faults.push(format!("does not name `{names}`"));
        }
    }
    faults
}

fn faults_of(source: &str, message: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if !message.starts_with("error") {
        faults.push(format!("no error, but {}", message.lines().next().unwrap_or_default()));
    }
    if length(message) > LINES {
        faults.push(format!("{} lines", length(message)));
    }
    faults.extend(place(source, message).err());
    faults
}

fn length(message: &str) -> usize {
    message.lines().filter(|line| !line.trim().is_empty()).count()
}

/// How many a program has: `// errors: 2` says it in the first line, else one.
fn mistakes(source: &str) -> usize {
    let first = source.lines().next().unwrap_or_default();
    first.strip_prefix("// errors: ").map_or(1, |number| number.parse().expect("a number of errors"))
}

/// rustc's messages: each begins at the margin with `error` or `warning`.
fn messages(stderr: &str) -> Vec<&str> {
    let is_head = |line: &str| ["error:", "error[", "warning:", "warning["].iter().any(|head| line.starts_with(head));
    let (mut starts, mut at) = (Vec::new(), 0);
    for line in stderr.split_inclusive('\n') {
        if is_head(line) {
            starts.push(at);
        }
        at += line.len();
    }
    let ends = starts.iter().copied().skip(1).chain([stderr.len()]);
    starts.iter().zip(ends).filter_map(|(&start, end)| stderr.get(start..end)).map(str::trim_end).collect()
}

/// Whether the message points at a token of the program, and not at a whole `pipeline! { … }`.
fn place(source: &str, message: &str) -> Result<(), String> {
    let arrow = message.lines().find_map(|line| line.trim_start().strip_prefix("--> "));
    let arrow = arrow.ok_or("no place at all")?;
    let mut parts = arrow.rsplitn(3, ':');
    let (column, line, file) = (parts.next(), parts.next(), parts.next());
    let number = |text: Option<&str>| text.and_then(|text| text.parse::<usize>().ok());
    let (Some(column), Some(line), Some(file)) = (number(column), number(line), file) else {
        return Err(format!("what place is `{arrow}`?"));
    };
    if !file.starts_with("fail/") {
        return Err(format!("points into {file}"));
    }
    let code = source.lines().nth(line - 1).ok_or_else(|| format!("there is no line {line}"))?;
    let token: String = code.chars().skip(column - 1).collect();
    if token.starts_with("pipeline!") || token.starts_with("tinypl::pipeline!") {
        return Err("underlines the whole `pipeline!`".to_owned());
    }
    // the first line that marks anything marks the place
    let marks = message.lines().map(marked).find(|marks| *marks > 0).ok_or("marks nothing")?;
    match token.chars().count() {
        left if marks > left => Err(format!("marks {marks} characters where the line has {left}")),
        _ => Ok(()),
    }
}

/// How many `^` a line below the code has.
fn marked(line: &str) -> usize {
    match line.trim_start().strip_prefix("| ") {
        Some(marks) if marks.trim_start().starts_with(['^', '-', '|', '_']) => marks.matches('^').count(),
        _ => 0,
    }
}

fn programs() -> Vec<PathBuf> {
    let programs: Vec<PathBuf> =
        files("fail").into_iter().filter(|path| path.extension().is_some_and(|end| end == "rs")).collect();
    assert!(programs.len() > 100, "{} programs in fail", programs.len());
    programs
}

/// Its path from the package: so rustc names it.
fn within(program: &Path) -> &Path {
    program.strip_prefix(env!("CARGO_MANIFEST_DIR")).expect("it is a file of this package")
}

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
