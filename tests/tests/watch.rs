//! `monitor.watch()`: what it shows on terminals of all sizes, what it leaves there however the program ends, and what it
//! writes where there is no terminal.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Duration;
use tinypl::pipeline;
use tinypl_tests::watchdog;

/// Milliseconds between two frames, where a test waits for some of them.
const SHORT: &str = "20";
/// Where no frame but the first is to come.
const LONG: &str = "100000000";

fn program(period: &str, pipes: &[&str]) -> Command {
    // as in a terminal, whatever this process has inherited
    let mut command = Command::new("env");
    command.args(["--default-signal=INT", env!("CARGO_BIN_EXE_watch"), period]).args(pipes).env("RUST_BACKTRACE", "0");
    command
}

/// Whether it is the last line of a view, or of a report.
fn is_summary(line: &str, items: usize) -> bool {
    line.starts_with("after ") && line.contains(&format!(" s: {items} item"))
}

#[cfg(target_os = "linux")]
mod on_a_terminal {
    use super::*;
    use rustix::process::Signal;
    use std::os::unix::process::ExitStatusExt;
    use tinypl_tests::{Session, Terminal};

    fn run(rows: u16, columns: u16, period: &str, pipes: &[&str]) -> Session {
        Terminal::new(rows, columns).run(&mut program(period, pipes))
    }

    /// A view of five items.
    fn shown(rows: u16, columns: u16, pipes: &[&str]) -> Session {
        let mut session = run(rows, columns, SHORT, pipes);
        session.say("pull 5");
        session.until(|lines| lines.iter().any(|line| is_summary(line, 5)));
        session
    }

    /// The first line; a terminal may be empty for a moment.
    fn first(lines: &[String]) -> &str {
        lines.first().map_or("", String::as_str)
    }

    fn columns(lines: &[String]) -> Vec<&str> {
        first(lines).split_whitespace().collect()
    }

    fn summaries(lines: &[String]) -> usize {
        lines.iter().filter(|line| line.starts_with("after ")).count()
    }

    /// No line went on in the next, and the next line is free for whoever comes.
    fn assert_is_tidy(session: &Session) {
        let lines = session.lines();
        assert!(!session.overflowed(), "{lines:#?}");
        assert_eq!(session.cursor().map(|(_, column)| column), Some(0), "{lines:#?}");
        let written = String::from_utf8_lossy(session.written());
        assert!(!written.contains("\x1b[?25l"), "the cursor was hidden");
        let is_colour = |sequence: &str| {
            sequence.find(|c: char| c.is_alphabetic()).is_some_and(|at| sequence[at..].starts_with('m'))
        };
        assert!(!written.split("\x1b[").skip(1).any(is_colour), "{written:?}");
    }

    #[test]
    fn a_table_and_who_limits() {
        let _watchdog = watchdog(60);
        let mut session = run(24, 80, SHORT, &["short"]);
        session.say("pull 5");
        session.until(|lines| lines.iter().any(|line| is_summary(line, 5)));
        let lines = session.lines();
        assert_eq!(columns(&lines), ["stage", "out", "out/s", "busy", "input", "room", "fill", "workers"]);
        for (line, name) in lines[1..].iter().zip(["range ", "thread::map decode ", "who pulls "]) {
            assert!(line.starts_with(name), "{lines:#?}");
        }
        session.until(|lines| lines.join(" ").contains("limits"));
        session.say("pull 2");
        session.until(|lines| lines.iter().any(|line| is_summary(line, 7)));
        assert_eq!(summaries(&session.lines()), 1, "{:#?}", session.lines());
        session.say("end and on it goes");
        session.end();
        let lines = session.lines();
        // in its place the report, and below it what came next
        assert_eq!(summaries(&lines), 1, "{lines:#?}");
        assert_eq!(lines.last().unwrap(), "and on it goes");
        assert_eq!(session.cursor(), Some((lines.len() as u16, 0)));
        assert_is_tidy(&session);
    }

    #[test]
    fn a_large_terminal_shows_everything() {
        let _watchdog = watchdog(60);
        let mut session = shown(50, 200, &["long"]);
        let lines = session.lines();
        assert_eq!(columns(&lines), ["stage", "at", "in", "out", "out/s", "busy", "input", "room", "fill", "workers"]);
        assert_eq!(lines.iter().filter(|line| line.starts_with("map decode ")).count(), 27, "{lines:#?}");
        assert!(lines[1].contains('█') || lines[1].contains('░'), "{lines:#?}");
        session.end();
        assert_is_tidy(&session);
    }

    #[test]
    fn what_there_is_no_room_for_is_left_out() {
        let _watchdog = watchdog(60);
        let mut session = shown(24, 80, &["long"]);
        let lines = session.lines();
        let more = lines
            .iter()
            .position(|line| line.starts_with("… ") && line.contains(" more "))
            .expect("a line for the rest");
        let left_out: usize = lines[more].split(' ').nth(1).unwrap().parse().unwrap();
        // range, 27 × map and the queue; the head stands above them
        assert_eq!(left_out + more - 1, 29, "{lines:#?}");
        assert!(lines[more - 1].starts_with("thread::queue "), "{lines:#?}");
        assert!(lines[more + 1].starts_with("who pulls "), "{lines:#?}");
        assert!(lines.len() <= 23 && lines.len() >= 22, "{lines:#?}");
        session.end();
        assert_is_tidy(&session);
    }

    #[test]
    fn no_line_overflows_on_terminals_of_any_size() {
        let _watchdog = watchdog(300);
        for (rows, columns) in [(24, 80), (50, 200), (24, 40), (8, 20), (100, 12), (4, 500), (3, 10), (2, 2), (2, 1)] {
            for pipe in ["short", "wide", "long"] {
                let mut session = run(rows, columns, SHORT, &[pipe]);
                session.say("pull 5");
                session.until(|lines| !lines.is_empty());
                for line in session.lines() {
                    assert!(
                        line.chars().count() < usize::from(columns).max(2),
                        "{rows}×{columns}: {:#?}",
                        session.lines()
                    );
                }
                session.say("pull 2\nend");
                session.end();
                assert!(!session.overflowed(), "{rows}×{columns}, {pipe}: {:#?}", session.lines());
            }
        }
    }

    #[test]
    fn names_are_cut_and_letters_may_be_wide() {
        let _watchdog = watchdog(60);
        let session = shown(24, 80, &["wide"]);
        let lines = session.lines();
        assert!(lines[2].starts_with("map a_function_whose") && lines[2].contains('…'), "{lines:#?}");
        assert!(lines[3].starts_with("map 画像を読み込む "), "{lines:#?}");
        // both rates end below their head's end
        let end = |line: &str| {
            let upto: String = line.split_inclusive(" %").next().unwrap().to_owned();
            upto.chars().map(|c| if c.is_ascii() || c == '…' { 1 } else { 2 }).sum::<usize>()
        };
        assert_eq!(end(&lines[2]), end(&lines[3]), "{lines:#?}");
    }

    #[test]
    fn it_follows_the_terminals_size() {
        let _watchdog = watchdog(60);
        let mut session = shown(50, 200, &["long"]);
        // no frame is on its way while the size changes
        session.say(&format!("every {LONG}\nprint now"));
        session.until(|lines| first(lines) == "now" && lines.last().is_some_and(|line| line.starts_with("after ")));
        while session.cursor() != Some((session.lines().len() as u16, 0)) {
            assert!(session.read());
        }
        assert!(session.lines()[1].contains(" in "), "{:#?}", session.lines());
        session.resize(24, 80);
        session.say(&format!("every {SHORT}"));
        session.until(|lines| {
            first(lines).starts_with("stage ")
                && !first(lines).contains(" in ")
                && lines.iter().any(|line| is_summary(line, 5))
        });
        assert!(session.lines().iter().any(|line| line.starts_with("… ")), "{:#?}", session.lines());
        assert_eq!(summaries(&session.lines()), 1, "{:#?}", session.lines());
        session.resize(50, 200);
        // above it stands what had scrolled away, or nothing
        let is_head = |line: &String| line.starts_with("stage ") && line.contains(" in ");
        session.until(|lines| lines.iter().any(is_head) && lines.last().is_some_and(|line| is_summary(line, 5)));
        assert_eq!(summaries(&session.lines()), 1, "{:#?}", session.lines());
        session.say("end over");
        session.end();
        assert_eq!(session.lines().last().unwrap(), "over");
        assert_is_tidy(&session);
    }

    #[test]
    fn rates_are_those_of_the_moment() {
        let _watchdog = watchdog(60);
        let rate = |lines: &[String]| {
            let queue = lines.iter().find(|line| line.starts_with("thread::map"))?;
            queue.split_whitespace().nth(3).map(str::to_owned)
        };
        let mut session = run(24, 80, SHORT, &["short"]);
        session.say("pull 100");
        session.until(|lines| rate(lines).is_some_and(|rate| rate != "0.00"));
        session.until(|lines| rate(lines).is_some_and(|rate| rate == "0.00"));
        session.say("pull 100");
        session.until(|lines| rate(lines).is_some_and(|rate| rate != "0.00"));
        session.until(|lines| rate(lines).is_some_and(|rate| rate == "0.00"));
        // the report at the end is about all of it
        session.end();
        assert_ne!(rate(&session.lines()).unwrap(), "0.00");
    }

    #[test]
    fn who_is_at_something_long_is_busy_meanwhile() {
        let _watchdog = watchdog(60);
        let mut session = run(24, 80, SHORT, &["short"]);
        session.say("pull 5");
        // it waits for what we say, which is its own affair
        session.until(|lines| lines.iter().any(|line| line.starts_with("who pulls ") && line.contains(" 100 % ")));
        session.until(|lines| lines.join(" ").contains("what pulls the pipeline limits"));
    }

    #[test]
    fn what_is_printed_in_suspend_stays_above() {
        let _watchdog = watchdog(60);
        let mut session = shown(24, 80, &["short"]);
        session.say("print to be\npull 1\nprint or not");
        session.until(|lines| lines.len() > 2 && lines[..2] == ["to be", "or not"] && lines[2].starts_with("stage "));
        session.end();
        let lines = session.lines();
        assert_eq!(lines[..2], ["to be", "or not"]);
        assert_eq!(summaries(&lines), 1, "{lines:#?}");
        assert_is_tidy(&session);
    }

    #[test]
    fn views_stand_below_one_another() {
        let _watchdog = watchdog(60);
        let mut session = shown(24, 80, &["short", "wide"]);
        session.until(|lines| summaries(lines) == 2);
        let heads = |lines: &[String]| lines.iter().filter(|line| line.starts_with("stage ")).count();
        assert_eq!(heads(&session.lines()), 2, "{:#?}", session.lines());
        // the report of the first, and the second goes on
        session.say("close 0\npull 2");
        session.until(|lines| lines.iter().any(|line| is_summary(line, 7)) && summaries(lines) == 2);
        let lines = session.lines();
        let first = lines.iter().position(|line| line.starts_with("thread::map")).expect("the first");
        let second = lines.iter().position(|line| line.starts_with("map a_function")).expect("the second");
        assert!(first < second && heads(&lines) == 2, "{lines:#?}");
        session.end();
        assert_eq!(summaries(&session.lines()), 2, "{:#?}", session.lines());
        assert_is_tidy(&session);
    }

    #[test]
    fn a_view_that_is_dropped_leaves_the_report() {
        let _watchdog = watchdog(60);
        let mut session = shown(24, 80, &["short"]);
        session.say("close 0\npull 2\nend over");
        session.end();
        let lines = session.lines();
        assert!(summaries(&lines) == 1 && lines.iter().any(|line| is_summary(line, 5)), "{lines:#?}");
        assert_eq!(lines.last().unwrap(), "over");
        assert_is_tidy(&session);
    }

    /// Rows and columns.
    const SIZES: [(u16, u16); 2] = [(24, 80), (50, 200)];

    #[test]
    fn a_panic_is_not_drawn_over() {
        let _watchdog = watchdog(60);
        for (rows, columns) in SIZES {
            let mut session = shown(rows, columns, &["short"]);
            session.say("panic on purpose");
            assert_eq!(session.end().code(), Some(101));
            assert_panic_stands(&session, "on purpose");
        }
    }

    #[test]
    fn a_panic_of_a_worker_is_not_drawn_over() {
        let _watchdog = watchdog(60);
        let mut session = shown(24, 80, &["short"]);
        session.say("fail\npull 100");
        assert_eq!(session.end().code(), Some(101));
        assert_panic_stands(&session, "on purpose, in a worker");
        let name = "thread::map decode FAILED  ";
        assert!(session.lines().iter().any(|line| line.starts_with(name)), "{:#?}", session.lines());
    }

    #[test]
    fn a_stage_with_a_long_name_that_failed() {
        let _watchdog = watchdog(60);
        let mut session = shown(24, 60, &["failing"]);
        session.say("pull 100");
        session.end();
        let name = |line: &String| line.starts_with("map a_function") && line.contains("… FAILED  ");
        assert!(session.lines().iter().any(name), "{:#?}", session.lines());
    }

    #[test]
    fn a_panic_that_is_caught_stays_above_the_view() {
        let _watchdog = watchdog(60);
        let mut session = shown(24, 80, &["short"]);
        session.say("caught on purpose");
        session.until(|lines| {
            lines.iter().any(|line| line == "on purpose") && lines.iter().any(|line| is_summary(line, 5))
        });
        session.say("pull 2");
        session.until(|lines| lines.iter().any(|line| is_summary(line, 7)));
        assert_panic_stands(&session, "on purpose");
    }

    /// A message of two lines (the first is preceded by an empty one), and one table.
    fn assert_panic_stands(session: &Session, message: &str) {
        let lines = session.lines();
        let at = lines.iter().position(|line| line == message).unwrap_or_else(|| panic!("{lines:#?}"));
        assert!(lines[at - 1].starts_with("thread '") && lines[at - 1].contains(" panicked at "), "{lines:#?}");
        assert_eq!(summaries(&lines), 1, "{lines:#?}");
        assert_eq!(session.cursor(), Some((lines.len() as u16, 0)), "{lines:#?}");
        let written = String::from_utf8_lossy(session.written());
        assert!(!written.contains("\x1b[?25l"), "the cursor was hidden");
    }

    #[test]
    fn ctrl_c_leaves_the_terminal_in_order() {
        let _watchdog = watchdog(60);
        for (rows, columns) in SIZES {
            let mut session = shown(rows, columns, &["short"]);
            session.signal(Signal::INT);
            assert_eq!(session.end().signal(), Some(Signal::INT.as_raw()));
            let lines = session.lines();
            assert_eq!((summaries(&lines), session.cursor()), (1, Some((lines.len() as u16, 0))), "{lines:#?}");
            assert_is_tidy(&session);
        }
    }

    #[test]
    fn an_exit_leaves_the_terminal_in_order() {
        let _watchdog = watchdog(60);
        let mut session = shown(24, 80, &["short"]);
        session.say("exit");
        assert_eq!(session.end().code(), Some(7));
        let lines = session.lines();
        assert_eq!((summaries(&lines), session.cursor()), (1, Some((lines.len() as u16, 0))), "{lines:#?}");
        assert_is_tidy(&session);
    }

    /// The end comes from who ends the pipeline, not with the next frame.
    #[test]
    fn a_pipeline_that_is_over_before_the_first_frame_is_reported() {
        let _watchdog = watchdog(60);
        let mut session = run(24, 80, LONG, &["short"]);
        session.say("pull 1000\npull 1\nend over");
        session.end();
        let lines = session.lines();
        assert!(lines[0].starts_with("stage ") && lines.iter().any(|line| is_summary(line, 1000)), "{lines:#?}");
        assert_eq!(lines.last().unwrap(), "over");
        assert_is_tidy(&session);
    }

    #[test]
    fn a_progress_bar_stands_below() {
        let _watchdog = watchdog(60);
        let mut session = shown(24, 80, &["bar", "short"]);
        let is_bar = |line: &String, n: usize| line.starts_with("items ") && line.contains(&format!(" {n}/1,000 "));
        for n in [6, 8] {
            session.say("pull 1\npull 1\nprint hello");
            let n = n + 1;
            session.until(|lines| {
                summaries(lines) == 2
                    && lines.iter().filter(|line| is_summary(line, n)).count() == 2
                    && lines.last().is_some_and(|line| is_bar(line, n))
            });
        }
        assert_eq!(session.lines()[..2], ["hello", "hello"], "{:#?}", session.lines());
        assert_eq!(
            session.lines().iter().filter(|line| line.starts_with("items ")).count(),
            1,
            "{:#?}",
            session.lines()
        );
        // with its line above the views that go on
        session.say("close 0\npull 1000\nprint over");
        session.until(|lines| lines.iter().any(|line| line.starts_with("items: 1,000 in ")));
        session.end();
        let lines = session.lines();
        assert_eq!(summaries(&lines), 2, "{lines:#?}");
        assert_eq!(lines.iter().filter(|line| line.starts_with("items")).count(), 1, "{lines:#?}");
    }

    #[test]
    fn a_panic_is_not_drawn_over_where_a_bar_is() {
        let _watchdog = watchdog(60);
        let mut session = shown(24, 80, &["bar"]);
        session.until(|lines| lines.last().is_some_and(|line| line.starts_with("items ")));
        session.say("caught on purpose\npull 2");
        session.until(|lines| {
            lines.iter().any(|line| line == "on purpose")
                && lines.iter().any(|line| is_summary(line, 7))
                && lines.last().is_some_and(|line| line.starts_with("items ") && line.contains(" 7/1,000 "))
        });
        let lines = session.lines();
        assert_eq!(summaries(&lines), 1, "{lines:#?}");
        session.say("panic for good");
        session.end();
        let lines = session.lines();
        assert!(lines.iter().any(|line| line == "for good") && summaries(&lines) == 1, "{lines:#?}");
        assert_eq!(lines.iter().filter(|line| line.starts_with("items")).count(), 1, "{lines:#?}");
    }

    /// Who borrows it sees the end; the pipeline itself is still there.
    #[test]
    fn a_pipeline_that_is_borrowed_to_its_end_is_reported() {
        let _watchdog = watchdog(60);
        let mut session = run(24, 80, SHORT, &[]);
        session.say("lend");
        // no bars stand in a report
        let is_report = |lines: &[String]| !lines.iter().any(|line| line.contains(['█', '░']));
        session.until(|lines| lines.iter().any(|line| is_summary(line, 20)) && is_report(lines));
        session.say("items");
        session.end();
        assert_eq!(session.lines().last().unwrap(), "20 items");
        assert_is_tidy(&session);
    }

    /// Neither the one who panics nor the one who ends the pipeline waits for the lock of stderr.
    #[test]
    fn somebody_may_hold_stderr() {
        let _watchdog = watchdog(60);
        for end in ["fail\npull 100", "pull 1000\npull 1\nend over"] {
            let mut session = shown(24, 80, &["short"]);
            session.say("hold");
            session.say(end);
            session.end();
            assert_eq!(summaries(&session.lines()), 1, "{:#?}", session.lines());
        }
    }

    #[test]
    fn a_terminal_that_can_do_nothing_gets_lines() {
        let _watchdog = watchdog(60);
        let mut session = Terminal { term: "dumb", ..Terminal::new(24, 400) }.run(&mut program(SHORT, &["short"]));
        session.say("pull 5");
        session.until(|lines| lines.len() >= 2);
        session.end();
        assert!(session.lines().iter().all(|line| line.starts_with("tinypl after ")), "{:#?}", session.lines());
        assert!(!session.written().contains(&b'\x1b'));
    }
}

#[test]
fn lines_where_stderr_is_no_terminal() {
    let _watchdog = watchdog(60);
    let mut command = program(SHORT, &["short"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let mut lines = BufReader::new(child.stderr.take().expect("a pipe")).lines().map(|line| line.expect("text"));
    writeln!(stdin, "pull 5").expect("the program reads");
    let five = lines.find(|line| line.contains(" s: 5 items, ")).expect("a line");
    assert!(five.starts_with("tinypl after "), "{five}");
    writeln!(stdin, "pull 2\nend").expect("the program reads");
    drop(stdin);
    let rest: Vec<String> = lines.collect();
    assert!(rest.last().is_some_and(|line| line.contains(" s: 7 items, ")), "{rest:#?}");
    assert!(rest.iter().all(|line| line.starts_with("tinypl after ") && !line.contains('\x1b')), "{rest:#?}");
    assert!(child.wait().expect("it ends").success());
}

#[test]
fn a_line_at_the_end_where_none_was_due_before() {
    let _watchdog = watchdog(60);
    let mut command = program(LONG, &["short"]);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it starts");
    writeln!(child.stdin.take().expect("a pipe"), "pull 5\nclose 0\npull 5").expect("the program reads");
    let output = child.wait_with_output().expect("it ends");
    let written = String::from_utf8(output.stderr).expect("text");
    assert!(written.starts_with("tinypl after ") && written.contains(" s: 5 items, "), "{written}");
    assert_eq!(written.lines().count(), 1, "{written}");
}

#[test]
fn a_view_may_come_late_or_twice_and_outlive_its_pipeline() {
    let _watchdog = watchdog(60);
    let mut pipe = pipeline! { range(10) |> thread::map(|x| x + 1, workers = 2) };
    let monitor = pipe.monitor();
    let views = [monitor.watch(), monitor.watch().every(Duration::ZERO)];
    assert_eq!(views[0].suspend(|| pipe.count()), 10);
    let late = monitor.watch();
    assert_eq!(late.suspend(|| 7), 7);
    drop(views);
    assert_eq!(monitor.report().stages[1].items_out, 10);
}

/// Nobody's report is waited for while a lock is held that a report needs.
#[test]
fn views_of_pipelines_that_lend_one_another() {
    let _watchdog = watchdog(60);
    let mut pipe = pipeline! { range(10) |> thread::queue(workers = 2) };
    let _view = pipe.monitor().watch().every(Duration::ZERO);
    let mut below = pipeline! { &mut pipe |> map(|x| x + 1) };
    let _other = below.monitor().watch().every(Duration::ZERO);
    assert_eq!(below.count(), 10);
}
