//! What a crossing between threads costs: work of about no time, received by this thread.
#![forbid(unsafe_code)]

use tinypl_benches::options::Options;
use tinypl_benches::race::{Race, Role, Target};
use tinypl_benches::work::{hash, mix, sum};
use tinypl_benches::{ours, peers};

const BRIDGE: &str = "rayon par_bridge, bounded channel";
const CROSSBEAM: &str = "crossbeam fan-out, fan-in";
const PARITER: &str = "pariter parallel_map";

fn main() {
    let options = Options::start();
    unordered(&options);
    ordered(&options);
    narrow(&options);
}

fn summed(n: u64) -> u64 {
    (0..n).map(mix).fold(0, sum)
}

fn hashed(n: u64) -> u64 {
    (0..n).map(mix).fold(0, hash)
}

fn unordered(options: &Options) {
    use peers::{marks, unordered};
    Race::new("unordered, work of about 0 ns, 2 workers, maxsize 1024")
        .add(Role::Ours, "tinypl, for", summed, |n| ours::map_for(n, 2, 1024, mix))
        .add(Role::Ours, "tinypl, fold", summed, |n| ours::map_fold(n, 2, 1024, mix))
        .add(Role::Peer, BRIDGE, summed, |n| unordered::rayon_par_bridge(n, 1024, mix))
        .add(Role::Peer, "orx-parallel, bounded channel", summed, |n| unordered::orx(n, 1024, mix))
        .add(Role::Peer, "pariter parallel_map (ordered)", summed, |n| unordered::pariter(n, 2, 1024, mix))
        .add(Role::Peer, CROSSBEAM, summed, |n| unordered::crossbeam(n, 2, 1024, mix))
        .add(Role::Peer, "crossbeam, source in a mutex", summed, |n| unordered::crossbeam_mutex(n, 2, 1024, mix))
        .add(Role::Mark, "rayon par_iter, reduce", summed, |n| marks::rayon_par_iter(n, mix))
        .add(Role::Mark, "rayon par_bridge, reduce", summed, |n| marks::rayon_par_bridge(n, mix))
        .add(Role::Mark, "orx-parallel, reduce", summed, |n| marks::orx_range(n, mix))
        .add(Role::Mark, "std, one thread", summed, |n| marks::std_serial(n, mix))
        .target(Target::Nanoseconds(10.0))
        .target(Target::Faster(3.0, BRIDGE))
        .target(Target::Faster(7.0, CROSSBEAM))
        .run(options);
}

fn ordered(options: &Options) {
    use peers::{marks, ordered};
    Race::new("ordered, work of about 0 ns, 2 workers, order::save(1024)")
        .add(Role::Ours, "tinypl, for", hashed, |n| ours::ordered_for(n, 2, 1024, mix))
        .add(Role::Ours, "tinypl, fold", hashed, |n| ours::ordered_fold(n, 2, 1024, mix))
        .add(Role::Peer, PARITER, hashed, |n| ordered::pariter(n, 2, 1024, mix))
        .add(Role::Peer, "rayon par_bridge, channel, reordered", hashed, |n| ordered::rayon_par_bridge(n, 1024, mix))
        .add(Role::Peer, "rayon, blocks of 1024", hashed, |n| ordered::rayon_blocks(n, 1024, mix))
        .add(Role::Peer, "crossbeam fan-out, fan-in, reordered", hashed, |n| ordered::crossbeam(n, 2, 1024, mix))
        .add(Role::Peer, "crossbeam, workers in turn", hashed, |n| ordered::crossbeam_in_turn(n, 2, 1024, mix))
        .add(Role::Mark, "rayon par_iter, into a Vec", hashed, |n| marks::rayon_collect(n, mix))
        .add(Role::Mark, "orx-parallel, into a Vec", hashed, |n| marks::orx_collect(n, mix))
        .target(Target::Nanoseconds(20.0))
        .target(Target::Faster(8.0, PARITER))
        .run(options);
}

fn narrow(options: &Options) {
    use peers::unordered;
    Race::new("unordered, work of about 0 ns, 4 workers, maxsize 8")
        .add(Role::Ours, "tinypl, for", summed, |n| ours::map_for(n, 4, 8, mix))
        .add(Role::Ours, "tinypl, fold", summed, |n| ours::map_fold(n, 4, 8, mix))
        .add(Role::Peer, CROSSBEAM, summed, |n| unordered::crossbeam(n, 4, 8, mix))
        .add(Role::Peer, "crossbeam, source in a mutex", summed, |n| unordered::crossbeam_mutex(n, 4, 8, mix))
        .add(Role::Peer, "pariter parallel_map (ordered)", summed, |n| unordered::pariter(n, 4, 8, mix))
        .target(Target::AtMost(1.0, CROSSBEAM))
        .run(options);
}
