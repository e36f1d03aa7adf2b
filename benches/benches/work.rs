//! Work that is worth a thread: how near to the limit, rayon's indexed `par_iter`, tinypl comes.
#![forbid(unsafe_code)]

use tinypl_benches::options::Options;
use tinypl_benches::race::{Race, Role, Target};
use tinypl_benches::work::{hash, spin, steps_per_microsecond, sum};
use tinypl_benches::{ours, peers};

const LIMIT: &str = "rayon par_iter, reduce";
const MAXSIZE: usize = 256;

fn main() {
    let options = Options::start();
    let rate = steps_per_microsecond();
    println!("{rate:.0} steps of work take a microsecond\n");
    for microseconds in [0.1, 1.0, 10.0, 100.0] {
        let steps = (microseconds * rate).round() as u64;
        unordered(&options, microseconds, steps);
        ordered(&options, microseconds, steps);
    }
}

fn unordered(options: &Options, microseconds: f64, steps: u64) {
    use peers::{marks, unordered};
    let f = move |x| spin(steps, x);
    let expected = move |n: u64| (0..n).map(f).fold(0, sum);
    Race::new(format!("unordered, work of {microseconds} µs, 2 workers, maxsize {MAXSIZE}"))
        .add(Role::Ours, "tinypl, for", expected, |n| ours::map_for(n, 2, MAXSIZE, f))
        .add(Role::Ours, "tinypl, fold", expected, |n| ours::map_fold(n, 2, MAXSIZE, f))
        .add(Role::Mark, LIMIT, expected, |n| marks::rayon_par_iter(n, f))
        .add(Role::Mark, "orx-parallel, reduce", expected, |n| marks::orx_range(n, f))
        .add(Role::Peer, "rayon par_bridge, bounded channel", expected, |n| unordered::rayon_par_bridge(n, MAXSIZE, f))
        .add(Role::Peer, "pariter parallel_map (ordered)", expected, |n| unordered::pariter(n, 2, MAXSIZE, f))
        .add(Role::Peer, "crossbeam fan-out, fan-in", expected, |n| unordered::crossbeam(n, 2, MAXSIZE, f))
        .add(Role::Peer, "crossbeam, source in a mutex", expected, |n| unordered::crossbeam_mutex(n, 2, MAXSIZE, f))
        .target(Target::AtMost(1.05, LIMIT))
        .run(options);
}

fn ordered(options: &Options, microseconds: f64, steps: u64) {
    use peers::{marks, ordered};
    let f = move |x| spin(steps, x);
    let summed = move |n: u64| (0..n).map(f).fold(0, sum);
    let hashed = move |n: u64| (0..n).map(f).fold(0, hash);
    Race::new(format!("ordered, work of {microseconds} µs, 2 workers, order::save({MAXSIZE})"))
        .add(Role::Ours, "tinypl, for", hashed, |n| ours::ordered_for(n, 2, MAXSIZE, f))
        .add(Role::Ours, "tinypl, fold", hashed, |n| ours::ordered_fold(n, 2, MAXSIZE, f))
        .add(Role::Mark, LIMIT, summed, |n| marks::rayon_par_iter(n, f))
        .add(Role::Mark, "rayon par_iter, into a Vec", hashed, |n| marks::rayon_collect(n, f))
        .add(Role::Peer, "pariter parallel_map", hashed, |n| ordered::pariter(n, 2, MAXSIZE, f))
        .add(Role::Peer, "rayon, blocks of 256", hashed, |n| ordered::rayon_blocks(n, MAXSIZE, f))
        .add(Role::Peer, "crossbeam fan-out, fan-in, reordered", hashed, |n| ordered::crossbeam(n, 2, MAXSIZE, f))
        .add(Role::Peer, "crossbeam, workers in turn", hashed, |n| ordered::crossbeam_in_turn(n, 2, MAXSIZE, f))
        .target(Target::AtMost(1.05, LIMIT))
        .run(options);
}
