//! What worker processes cost: items on their way, waiting for one, starting and ending.
#![forbid(unsafe_code)]

use tinypl_benches::jobs::{
    ADD_ONE, BACK, Digest, Job, THERE, THERE_AND_BACK, Travels, WHOLE_BACK, WHOLE_THERE, WHOLE_THERE_AND_BACK,
};
use tinypl_benches::options::Options;
use tinypl_benches::peers::process::{ipc, python, socket};
use tinypl_benches::race::{Race, Role, Target};
use tinypl_benches::work::{spin, steps_per_microsecond, sum};
use tinypl_benches::{ours, peers};

const BARE: &str = "socket pair, one item in flight";
const ORIGINAL: &str = "tinypl 0.1.0 for Python";
const POOL: &str = "Python's Pool.imap, chunksize 64";
const ROUND_TRIP: &str = "bare socket pair";
const THREADS: &str = "tinypl, thread::map";

fn main() {
    peers::process::work_if_asked();
    let options = Options::start();
    no_work(&options);
    one_at_a_time(&options);
    work(&options);
    megabytes(&options, "there and back", THERE_AND_BACK, WHOLE_THERE_AND_BACK);
    megabytes(&options, "there", THERE, WHOLE_THERE);
    megabytes(&options, "back", BACK, WHOLE_BACK);
    start_and_end(&options);
}

fn no_work(options: &Options) {
    let expected = |n| ADD_ONE.expected(n);
    let mut race = Race::new("processes, no work, 2 workers, maxsize 64")
        .longer(4)
        .add(Role::Ours, "tinypl, for", expected, |n| ours::process::add_one_for(n, 2, 64))
        .add(Role::Ours, "tinypl, fold", expected, |n| ours::process::add_one_fold(n, 2, 64))
        .add(Role::Peer, BARE, expected, |n| socket::one_in_flight(n, 2, 64, ADD_ONE))
        .add(Role::Peer, "socket pair, 32 in flight", expected, |n| socket::several_in_flight(n, 2, 64, ADD_ONE))
        .add(Role::Peer, "ipc-channel, 32 in flight", expected, |n| ipc::map(n, 2, 32, ADD_ONE))
        .target(Target::Nanoseconds(1000.0));
    if let Some(python) = options.python() {
        let run = |args: &'static [&str]| move |n| python::run(python, "add_one.py", args, n);
        race = race
            .add_timed(Role::Peer, "Python's Pool.imap, chunksize 1", expected, run(&["imap", "1"]))
            .add_timed(Role::Peer, POOL, expected, run(&["imap", "64"]))
            .add_timed(Role::Peer, ORIGINAL, expected, run(&["original", "64"]))
            .target(Target::Faster(1.0, POOL))
            .target(Target::Faster(40.0, ORIGINAL));
    }
    race.run(options);
}

fn one_at_a_time(options: &Options) {
    let expected = |n| ADD_ONE.expected(n);
    Race::new("processes, no work, one item at a time")
        .longer(4)
        .add(Role::Ours, "tinypl, 1 worker", expected, |n| ours::process::round_trips(n, 1))
        .add(Role::Ours, "tinypl, 2 workers", expected, |n| ours::process::round_trips(n, 2))
        .add(Role::Peer, ROUND_TRIP, expected, socket::round_trips)
        .add(Role::Peer, "socket pair that a thread serves", expected, socket::round_trips_through_a_thread)
        .add(Role::Peer, "ipc-channel", expected, ipc::round_trips)
        .target(Target::AtMost(2.0, ROUND_TRIP))
        .run(options);
}

fn work(options: &Options) {
    const TITLE: &str = "processes, work of 100 µs, 2 workers, maxsize 64";
    if !options.wants(TITLE) {
        return;
    }
    let steps = (100.0 * steps_per_microsecond()).round() as u64;
    let f = move |x| spin(steps, x);
    let expected = move |n: u64| (0..n).map(f).fold(0, sum);
    Race::new(TITLE)
        .longer(8)
        .add(Role::Ours, "tinypl", expected, |n| ours::process::work(n, 2, 64, steps))
        .add(Role::Peer, THREADS, expected, |n| ours::map_for(n, 2, 64, f))
        .target(Target::AtMost(1.05, THREADS))
        .run(options);
}

fn megabytes<I: Travels, O: Digest, WI: Travels, WO: Digest>(
    options: &Options,
    way: &str,
    job: Job<I, O>,
    whole: Job<WI, WO>,
) {
    let expected = |n| job.expected(n);
    let race = Race::new(format!("processes, 1 MB {way}, 2 workers, maxsize 8"))
        .at_least(if options.quick() { 4 } else { 16 })
        .longer(4)
        .add(Role::Ours, "tinypl", expected, |n| ours::process::map(n, 2, 8, job))
        .add(Role::Peer, BARE, expected, |n| socket::one_in_flight(n, 2, 8, job))
        .add(Role::Peer, "socket pair, one in flight, serde_bytes", expected, |n| socket::one_in_flight(n, 2, 8, whole))
        .add(Role::Peer, "socket pair, 4 in flight", expected, |n| socket::sender_and_receiver(n, 2, 8, job))
        .add(Role::Peer, "socket pair, 4 in flight, serde_bytes", expected, |n| {
            socket::sender_and_receiver(n, 2, 8, whole)
        })
        .target(Target::AtMost(1.0, BARE));
    if job.name == THERE_AND_BACK.name {
        let run = |n| ipc::map(n, 2, 1, THERE_AND_BACK);
        race.add(Role::Peer, "ipc-channel, one item in flight", expected, run).run(options);
    } else {
        race.run(options);
    }
}

fn start_and_end(options: &Options) {
    let expected = |n| n * ADD_ONE.expected(4);
    Race::new("processes, 4 workers started and ended")
        .at_least(1)
        .longer(4)
        .add(Role::Ours, "tinypl", expected, |n| ours::process::start_and_end(n, 4))
        .add(Role::Peer, "socket pairs by hand", expected, |n| socket::start_and_end(n, 4))
        .target(Target::Nanoseconds(20e6))
        .run(options);
}
