//! `debug::print_on_item(msg)`: what it prints, seen from outside.
use std::process::Command;
use tinypl::pipeline;

/// Set where a test runs in a process of its own.
const INSIDE: &str = "TINYPL_TEST_PRINTS";

/// Runs this very test again, in a process of its own, and gives the lines that a pipeline printed there.
fn printed(test: &str, run: impl FnOnce()) -> Vec<String> {
    if std::env::var_os(INSIDE).is_some() {
        run();
        std::process::exit(0);
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(INSIDE, "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let lines = String::from_utf8(output.stdout).unwrap();
    // libtest may have begun the line
    lines.lines().filter_map(|line| line.find("PIPE: ").map(|at| line[at..].to_owned())).collect()
}

#[test]
fn text_stands_before_the_pull_and_after_it() {
    let lines = printed("debug::text_stands_before_the_pull_and_after_it", || {
        let all: Vec<i32> = pipeline! { range(2) |> debug::print_on_item("the source") |> collect() };
        assert_eq!(all, [0, 1]);
    });
    assert_eq!(
        lines,
        [
            "PIPE: pulling   the source",
            "PIPE: returning the source",
            "PIPE: pulling   the source",
            "PIPE: returning the source",
            "PIPE: pulling   the source", // to find the end
        ]
    );
}

#[test]
fn a_function_tells_of_the_item() {
    let lines = printed("debug::a_function_tells_of_the_item", || {
        assert_eq!(pipeline! { range(2) |> debug::print_on_item(|x| format!("item {x}")) |> take(2) |> count() }, 2);
    });
    assert_eq!(lines, ["PIPE: pulling", "PIPE: returning item 0", "PIPE: pulling", "PIPE: returning item 1"]);
}

#[test]
fn it_prints_when_it_is_pulled() {
    let lines = printed("debug::it_prints_when_it_is_pulled", || {
        let mut pipe = pipeline! {
            range(9) |> debug::print_on_item("above") |> filter(|x| x % 2 == 1)
                |> debug::print_on_item(String::from("below"))
        };
        assert_eq!(pipe.next(), Some(1));
    });
    assert_eq!(
        lines,
        [
            "PIPE: pulling   below",
            "PIPE: pulling   above",
            "PIPE: returning above",
            "PIPE: pulling   above",
            "PIPE: returning above",
            "PIPE: returning below",
        ]
    );
}

#[test]
fn markers_are_not_printed() {
    let lines = printed("debug::markers_are_not_printed", || {
        assert_eq!(pipeline! { range(1) |> marker::insert_periodic(1) |> debug::print_on_item("x") |> count() }, 1);
    });
    let returned = lines.iter().filter(|line| line.starts_with("PIPE: returning")).count();
    assert_eq!(returned, 1);
}

#[test]
fn above_a_queue_each_worker_prints() {
    let lines = printed("debug::above_a_queue_each_worker_prints", || {
        assert_eq!(pipeline! { range(10) |> debug::print_on_item(|x| *x) |> thread::queue(2) |> count() }, 10);
    });
    let mut returned: Vec<i32> =
        lines.iter().filter_map(|l| l.strip_prefix("PIPE: returning ")?.parse().ok()).collect();
    returned.sort_unstable();
    assert_eq!(returned, (0..10).collect::<Vec<_>>());
}

#[test]
fn items_and_their_number_pass_unchanged() {
    let lines = printed("debug::items_and_their_number_pass_unchanged", || {
        let pipe = pipeline! { range(3) |> debug::print_on_item(1.5) };
        assert_eq!(pipe.size_hint(), (3, Some(3)));
        assert_eq!(pipe.collect::<Vec<_>>(), [0, 1, 2]);
    });
    assert_eq!(lines[1], "PIPE: returning 1.5");
}
