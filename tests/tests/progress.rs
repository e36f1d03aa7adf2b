//! `progress(label)`: what it writes to a terminal and to what is none, what it counts, and which lengths it knows.

use std::process::{Command, Stdio};
use tinypl::pipeline;
use tinypl_tests::watchdog;

fn program(bars: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_progress"));
    command.args(bars).env("RUST_BACKTRACE", "0");
    command
}

#[cfg(target_os = "linux")]
mod on_a_terminal {
    use super::*;
    use tinypl_tests::{Session, Terminal};

    fn run(columns: u16, bars: &[&str]) -> Session {
        Terminal::new(24, columns).run(&mut program(bars))
    }

    /// Whether the line is that of a bar with this label and these figures.
    fn shows(line: &str, label: &str, counts: &str) -> bool {
        line.starts_with(label) && line.contains(&format!(" {counts} "))
    }

    fn is_over(line: &str, label: &str, counts: &str) -> bool {
        line.starts_with(&format!("{label}: {counts} in ")) && line.ends_with("/s")
    }

    fn assert_is_over(session: &Session, endings: &[(&str, &str)]) {
        let lines = session.lines();
        assert_eq!(lines.len(), endings.len(), "{lines:#?}");
        for (line, (label, counts)) in lines.iter().zip(endings) {
            assert!(is_over(line, label, counts), "{lines:#?}");
        }
        assert_eq!(session.cursor(), Some((endings.len() as u16, 0)), "the next line is free");
    }

    #[test]
    fn a_bar_grows_and_leaves_a_line() {
        let _watchdog = watchdog(60);
        let mut session = run(80, &["items=5"]);
        session.say("pull 0");
        session.until(|lines| lines.len() == 1 && shows(&lines[0], "items ", "1/5"));
        let full = |line: &str| line.chars().filter(|&c| c == '█').count();
        let one = full(&session.lines()[0]);
        session.say("pull 0\npull 0\npull 0");
        session.until(|lines| {
            shows(&lines[0], "items ", "4/5") && lines[0].contains("  ETA ") && lines[0].contains("/s ")
        });
        assert!(one > 0 && full(&session.lines()[0]) >= 3 * one, "{:?}", session.lines());
        session.say("pull 0\npull 0");
        session.until(|lines| is_over(&lines[0], "items", "5"));
        // what comes after the end adds nothing
        session.say("pull 0\npull 0");
        assert!(session.end().success());
        assert_is_over(&session, &[("items", "5")]);
    }

    #[test]
    fn it_is_there_before_the_first_item() {
        let _watchdog = watchdog(60);
        let mut session = run(80, &[]);
        session.say("queue 1");
        session.end();
        // the first frame of the one below the queue, pulled before any item has come
        let written = String::from_utf8_lossy(session.written()).into_owned();
        assert!(written.contains(" 0/1 "), "{written}");
    }

    #[test]
    fn without_a_length_it_tells_the_time() {
        let _watchdog = watchdog(60);
        let mut session = run(80, &["items=?"]);
        session.say("pull 0\npull 0");
        session.until(|lines| lines.len() == 1 && shows(&lines[0], "items ", "2") && lines[0].ends_with(" s"));
        assert!(!session.lines()[0].contains("ETA"), "{:?}", session.lines());
        session.end();
        assert_is_over(&session, &[("items", "2")]);
    }

    #[test]
    fn two_bars_stand_below_one_another() {
        let _watchdog = watchdog(60);
        let mut session = run(80, &["first=3", "second=50"]);
        for i in 1..=2 {
            session.say("pull 0\npull 1\npull 1");
            let (a, b) = (format!("{i}/3"), format!("{}/50", 2 * i));
            session
                .until(|lines| lines.len() == 2 && shows(&lines[0], "first ", &a) && shows(&lines[1], "second ", &b));
        }
        session.say("pull 0\npull 0\npull 1");
        session.until(|lines| is_over(&lines[0], "first", "3") && shows(&lines[1], "second ", "5/50"));
        session.end();
        assert_is_over(&session, &[("first", "3"), ("second", "5 of 50")]);
    }

    #[test]
    fn a_bar_may_begin_when_others_are_over() {
        let _watchdog = watchdog(60);
        let mut session = run(80, &["first=1", "second=1"]);
        for i in 0..2 {
            session.say(&format!("pull {i}\npull {i}"));
            session.until(|lines| lines.len() == i + 1 && is_over(&lines[i], ["first", "second"][i], "1"));
        }
        session.end();
        assert_is_over(&session, &[("first", "1"), ("second", "1")]);
    }

    #[test]
    fn a_pipeline_that_is_dropped_says_how_far_it_came() {
        let _watchdog = watchdog(60);
        let mut session = run(80, &["items=5"]);
        session.say("pull 0\npull 0\ndrop 0");
        assert!(session.end().success());
        assert_is_over(&session, &[("items", "2 of 5")]);
    }

    #[test]
    fn a_pipeline_that_fails_says_how_far_it_came() {
        let _watchdog = watchdog(60);
        let mut session = run(80, &[]);
        session.say("fail items");
        assert!(!session.end().success());
        let lines = session.lines();
        assert!(is_over(&lines[0], "items", "1 of 3"), "{lines:#?}");
        assert!(lines[1].contains("1 is one"), "{lines:#?}");
        assert!(session.cursor().is_some_and(|(_, column)| column == 0));
    }

    /// Neither the bar nor whoever ends it waits for a lock of the program's.
    #[test]
    fn a_program_may_hold_stderr() {
        let _watchdog = watchdog(60);
        let mut session = run(80, &["items=5", "more=2"]);
        session.say("hold\npull 0\npull 0\npull 1");
        session.until(|lines| lines.len() == 2 && shows(&lines[0], "items ", "2/5"));
        session.say("pull 1\npull 1\ndrop 0");
        session.until(|lines| lines.len() == 2 && is_over(&lines[1], "items", "2 of 5"));
        session.say("release");
        assert!(session.end().success());
        assert_is_over(&session, &[("more", "2"), ("items", "2 of 5")]);
    }

    #[test]
    fn a_panic_leaves_the_terminal_in_order() {
        let _watchdog = watchdog(60);
        let mut session = run(80, &["items=5"]);
        session.say("pull 0\npull 0\npanic on purpose");
        assert_eq!(session.end().code(), Some(101));
        let lines = session.lines();
        assert!(lines.iter().any(|line| line == "on purpose"), "{lines:#?}");
        assert!(lines.last().is_some_and(|line| is_over(line, "items", "2 of 5")), "{lines:#?}");
        assert_eq!(session.cursor(), Some((lines.len() as u16, 0)), "{lines:#?}");
    }

    #[test]
    fn a_panic_of_a_worker_ends_the_bar_above_it() {
        let _watchdog = watchdog(60);
        let mut session = run(80, &[]);
        session.say("thread");
        assert!(session.end().success());
        let lines = session.lines();
        assert!(lines.iter().any(|line| line == "in a worker"), "{lines:#?}");
        assert!(lines.last().is_some_and(|line| is_over(line, "above", "2 of 3")), "{lines:#?}");
    }

    #[test]
    fn bars_above_and_below_a_queue_count_the_same() {
        let _watchdog = watchdog(60);
        let mut session = run(80, &[]);
        session.say("queue 12345");
        assert!(session.end().success());
        let mut lines = session.lines();
        lines.sort();
        assert_eq!(lines.len(), 2, "{lines:#?}");
        assert!(is_over(&lines[0], "above", "12,345") && is_over(&lines[1], "below", "12,345"), "{lines:#?}");
    }

    #[test]
    fn worker_processes_draw_nothing() {
        let _watchdog = watchdog(60);
        let mut session = run(80, &[]);
        session.say("process");
        assert!(session.end().success());
        assert_is_over(&session, &[("outer", "9")]);
        assert!(!String::from_utf8_lossy(session.written()).contains("inner"));
    }

    #[test]
    fn labels_are_cut_so_that_a_line_is_enough() {
        let _watchdog = watchdog(60);
        let long = "a label that is longer than the line that it is to stand in, and then some more of it";
        for label in [long, "进度条的标签也可能是中文的并且非常非常长长得一行都放不下", "", "a\tb\nc\x1b[31m"]
        {
            for columns in [200, 80, 40, 20, 12, 4] {
                let mut session = run(columns, &[&format!("{label}=5")]);
                session.say("pull 0\npull 0");
                session.until(|lines| lines.len() == 1 && lines[0].contains("2/5"));
                // a second frame in the place of the first
                session.say("pull 0");
                session.until(|lines| lines[0].contains("3/5"));
                assert_eq!(session.lines().len(), 1, "{columns}: {:#?}", session.lines());
                session.end();
                assert_eq!(session.lines().len(), 1, "{columns}: {:#?}", session.lines());
                assert_eq!(session.cursor(), Some((1, 0)), "{columns}: {:#?}", session.lines());
            }
        }
    }

    #[test]
    fn what_is_printed_in_suspend_stays_above_the_bars() {
        let _watchdog = watchdog(60);
        let mut session = run(80, &["first=5", "second=5"]);
        session.say("pull 0\npull 1\nprint to be\npull 0\nprint or not\npull 1");
        session
            .until(|lines| lines.len() == 4 && shows(&lines[2], "first ", "2/5") && shows(&lines[3], "second ", "2/5"));
        assert_eq!(session.lines()[..2], ["to be", "or not"]);
        session.end();
        assert_eq!(session.lines()[..2], ["to be", "or not"]);
        assert_eq!(session.lines().len(), 4);
    }

    #[test]
    fn a_pipeline_may_end_in_suspend() {
        let _watchdog = watchdog(60);
        let mut session = run(80, &["first=5", "second=5"]);
        session.say("pull 0\npull-suspended 1\npull 0");
        session
            .until(|lines| lines.len() == 2 && is_over(&lines[0], "second", "5") && shows(&lines[1], "first ", "2/5"));
        session.end();
        assert_is_over(&session, &[("second", "5"), ("first", "2 of 5")]);
    }

    #[test]
    fn a_terminal_that_can_do_nothing_gets_nothing() {
        let _watchdog = watchdog(60);
        let mut session = Terminal { term: "dumb", ..Terminal::new(24, 80) }.run(&mut program(&["items=5"]));
        session.say("pull 0\nprint hello\npull 0");
        assert!(session.end().success());
        assert_eq!(session.lines(), ["hello"]);
        assert_eq!(session.written(), b"hello\r\n");
    }
}

#[test]
fn nothing_is_written_where_stderr_is_no_terminal() {
    let _watchdog = watchdog(60);
    let mut command = program(&["items=5", "others=?"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let commands = b"pull 0\npull 1\nprint hello\npull 0\ndrop 0\nqueue 100\n";
    std::io::Write::write_all(&mut child.stdin.take().expect("a pipe"), commands).expect("the program reads");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success());
    assert_eq!((&*output.stdout, &*output.stderr), (&b"hello\n"[..], &b""[..]));
}

#[test]
fn the_handle_counts_items_and_nothing_else() {
    pipeline! {
        let mut pipe = range(10) |> marker::insert_periodic(2) |> filter(|x| x % 5 > 0) |> p @ progress("items");
    }
    assert_eq!((p.position(), p.length()), (0, None));
    assert_eq!((pipe.next(), pipe.next(), pipe.next()), (Some(1), Some(2), Some(3)));
    assert_eq!(p.position(), 3);
    assert_eq!(pipe.by_ref().count(), 5);
    assert_eq!(p.position(), 8);
    drop(pipe);
    assert_eq!(p.position(), 8);
}

#[test]
fn inside_an_order_gaps_are_no_items() {
    pipeline! {
        let pipe = range(10) |> o @ order::save(4) |> filter(|x| x % 2 == 0) |> p @ progress("items") |> order::load(o);
    }
    assert_eq!(pipe.collect::<Vec<_>>(), [0, 2, 4, 6, 8]);
    assert_eq!(p.position(), 5);
}

#[test]
fn several_pullers_count_together() {
    let _watchdog = watchdog(60);
    pipeline! {
        let pipe = range(100_000) |> p @ progress("items") |> thread::queue(workers = 4) |> q @ progress("results");
    }
    assert_eq!((p.length(), q.length()), (Some(100_000), Some(100_000)));
    assert_eq!(pipe.count(), 100_000);
    assert_eq!((p.position(), q.position()), (100_000, 100_000));
}

#[test]
fn a_pipeline_of_another_block_may_be_pulled_by_several() {
    let _watchdog = watchdog(60);
    pipeline! { let above = range(100) |> map(|x| x) |> p @ progress("items"); }
    let below = pipeline! { above |> thread::queue(workers = 2) };
    assert_eq!(below.count(), 100);
    assert_eq!(p.position(), 100);
}

mod the_length {
    use super::*;
    use std::thread::scope;
    use tinypl::Pipeline;

    #[test]
    fn is_kept_by_stages_that_neither_drop_nor_add() {
        pipeline! {
            let pipe = range(20) |> marker::insert_periodic(3) |> each(|_| ()) |> marker::on(|| ())
                |> try_map(Ok::<_, String>) |> skip(1) |> enumerate() |> thread::mutex() |> zip(0..50)
                |> o @ order::save(4)
                |> thread::map_init(|| (), |(), x| x, workers = 2) |> order::load(o) |> chain([((0, 0), 0)])
                |> ratelimit(1000, std::time::Duration::ZERO) |> p @ progress("items");
        }
        assert_eq!(p.length(), Some(20));
        assert_eq!(pipe.count(), 20);
        assert_eq!(p.position(), 20);
    }

    #[test]
    fn is_that_of_the_groups_below_a_partition() {
        for (n, groups) in [(1, 7), (2, 4), (7, 1), (8, 1)] {
            pipeline! { let pipe = range(7) |> thread::queue(workers = 2) |> partition(n) |> p @ progress("groups"); }
            assert_eq!(p.length(), Some(groups));
            assert_eq!(pipe.count() as u64, groups);
        }
    }

    #[test]
    fn is_not_known_below_a_stage_that_may_drop_or_add() {
        pipeline! { let _pipe = range(9) |> filter(|_| true) |> p @ progress(""); }
        assert_eq!(p.length(), None);
        pipeline! { let _pipe = range(9) |> map(|x| 0..x) |> flatten() |> p @ progress(""); }
        assert_eq!(p.length(), None);
        pipeline! { let _pipe = range(9) |> m @ marker::insert_periodic(4) |> marker::until(m) |> p @ progress(""); }
        assert_eq!(p.length(), None);
        pipeline! {
            let _pipe = range(9) |> marker::insert_periodic(4) |> partition(3, split_on_marker = true) |> p @ progress("");
        }
        assert_eq!(p.length(), None);
        pipeline! { let _pipe = 0.. |> thread::queue(workers = 1, maxsize = 1) |> p @ progress(""); }
        assert_eq!(p.length(), None);
    }

    #[test]
    fn may_be_said() {
        pipeline! { let pipe = range(9) |> filter(|x| x % 2 == 0) |> p @ progress("even", len = 5); }
        assert_eq!(p.length(), Some(5));
        assert_eq!(pipe.count(), 5);
        assert_eq!(p.length(), Some(5));
    }

    #[test]
    fn that_is_wrong_is_given_up() {
        pipeline! { let mut pipe = range(9) |> p @ progress("items", len = 2); }
        assert_eq!(pipe.by_ref().take(2).count(), 2);
        assert_eq!(p.length(), Some(2));
        assert_eq!(pipe.count(), 7);
        assert_eq!((p.position(), p.length()), (9, None));
    }

    #[test]
    fn is_what_was_left_of_a_pipeline_that_is_borrowed() {
        let mut pipe = pipeline! { range(9) |> thread::queue(workers = 2) };
        assert!(pipe.next().is_some() && pipe.next().is_some());
        pipeline! { let rest = &mut pipe |> p @ progress("the rest"); }
        assert_eq!(p.length(), Some(7));
        assert_eq!(rest.count(), 7);
    }

    #[test]
    fn goes_down_as_items_are_taken() {
        let left = |pipe: &mut dyn Iterator<Item = usize>| {
            (0..=9).rev().map(|_| (pipe.size_hint(), pipe.next())).map(|(hint, _)| hint).collect::<Vec<_>>()
        };
        let expected: Vec<_> = (0..=9).rev().map(|n| (n, Some(n))).collect();
        assert_eq!(left(&mut pipeline! { range(9_usize) |> thread::queue(workers = 2) }), expected);
        let mut ordered = pipeline! {
            range(9_usize) |> o @ order::save(4) |> thread::map(|x| x, workers = 2) |> order::load(o)
        };
        assert_eq!(left(&mut ordered), expected);
        let mut marked = pipeline! { range(9_usize) |> marker::insert_periodic(2) |> thread::queue(workers = 2) };
        assert_eq!(left(&mut marked), expected);
    }

    #[test]
    fn is_known_of_what_a_scope_lends() {
        let words = ["to", "be", "or", "not"];
        scope(|s| {
            pipeline! {
                let lengths = &words |> thread::map(|word| word.len(), workers = 2, scope = s) |> p @ progress("words");
            }
            assert_eq!(p.length(), Some(4));
            assert_eq!(lengths.count(), 4);
        });
    }

    #[test]
    fn is_known_by_hand_too() {
        let stage = tinypl::progress(tinypl::range(0, 4), "by hand").len(3);
        assert_eq!(Pipeline::new(stage).count(), 4);
        let mut stage = tinypl::progress(tinypl::range(0, 4), format_args!("{} items", 4));
        let handle = stage.handle();
        let pipe = Pipeline::new(stage);
        assert_eq!(handle.length(), Some(4));
        assert_eq!(pipe.count(), 4);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn is_kept_by_processes_that_leave_nothing_out() {
        let _watchdog = watchdog(300);
        pipeline! { let pipe = range(9) |> process::map(|x| x, workers = 1) |> p @ progress(""); }
        assert_eq!(p.length(), Some(9));
        assert_eq!(pipe.count(), 9);
        pipeline! { let pipe = range(9) |> process::map(|x| x, workers = 1, on_death = skip) |> p @ progress(""); }
        assert_eq!(p.length(), None);
        assert_eq!(pipe.count(), 9);
    }
}
