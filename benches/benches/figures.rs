//! What the live figures of a pipeline cost the one whose figures are asked for, beside itself while nobody looks.
#![forbid(unsafe_code)]

use std::env::temp_dir;
use tinypl_benches::options::Options;
use tinypl_benches::ours::figures::{Look, map};
use tinypl_benches::race::{Race, Role, Target};
use tinypl_benches::work::{spin, steps_per_microsecond, sum};

const NOBODY: &str = "nobody looks";
const MAXSIZE: usize = 256;

fn main() {
    let options = Options::start();
    let rate = steps_per_microsecond();
    let path = temp_dir().join(format!("tinypl-{}.json", std::process::id()));
    for microseconds in [1.0, 10.0] {
        let steps = (microseconds * rate).round() as u64;
        let f = move |x| spin(steps, x);
        let expected = move |n: u64| (0..n).map(f).fold(0, sum);
        Race::new(format!("figures: work of {microseconds} µs, 2 workers, maxsize {MAXSIZE}"))
            .add(Role::Mark, NOBODY, expected, |n| map(n, MAXSIZE, f, Look::Not))
            .add(Role::Ours, "watched", expected, |n| map(n, MAXSIZE, f, Look::Watched))
            .add(Role::Ours, "watched, and a timeline", expected, |n| map(n, MAXSIZE, f, Look::Traced(&path)))
            .target(Target::AtMost(1.05, NOBODY))
            .run(&options);
    }
    let _ = std::fs::remove_file(path);
}
