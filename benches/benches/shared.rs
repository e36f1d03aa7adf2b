//! Large arrays in memory that processes share.
#![forbid(unsafe_code)]

use std::cell::RefCell;
use tinypl_benches::jobs::{ADD_UP, GLANCE, Look};
use tinypl_benches::options::Options;
use tinypl_benches::ours::{self, shared::MAPPING};
use tinypl_benches::peers::process::python;
use tinypl_benches::peers::shared::{self, Arrays};
use tinypl_benches::race::{Race, Role, Target};
use tinypl_benches::work::sum;

const COPIED: &str = "memcpy into mapped memory";
const FILLED: &str = "filled by 2 threads";
const ORIGINAL: &str = "tinypl 0.1.0 for Python";

/// At once there are: two that are filled, one that waits, one that is read.
const ARRAYS: usize = 4;

fn main() {
    let options = Options::start();
    // A quick run only looks at the results, wherever there is less memory.
    let smaller = if options.quick() { 10 } else { 1 };
    arrays(&options, 200_000_000 / smaller, 20, GLANCE);
    arrays(&options, 200_000_000 / smaller, 10, ADD_UP);
    write(&options, 50_000_000 / smaller);
}

fn arrays(options: &Options, bytes: usize, longer: u32, look: Look) {
    let title = format!("shared memory, arrays of {} MB from 2 workers, {}", bytes / 1_000_000, look.name);
    if !options.wants(&title) {
        return;
    }
    let len = bytes / size_of::<f32>();
    let ring = ours::shared::ring(ARRAYS * (bytes + 4096));
    let memory = Arrays::new(ARRAYS, len);
    let expected = |n| look.expected(n, len);
    let mut race = Race::new(title)
        .at_least(2)
        .longer(longer)
        .add_timed(
            Role::Ours,
            "tinypl, all mapped",
            |n| expected(MAPPING + n),
            |n| ours::shared::arrays_mapped(n, &ring, len, look),
        )
        .add(Role::Ours, "tinypl, from the workers' start", expected, |n| ours::shared::arrays(n, &ring, len, look))
        .add(Role::Peer, FILLED, expected, |n| shared::threads(n, &memory, look))
        .add(Role::Mark, "tinypl, 2 threads into the ring", expected, |n| {
            ours::shared::arrays_from_threads(n, &ring, len, look)
        });
    if look.name == GLANCE.name {
        race = race.target(Target::AtMost(1.1, FILLED));
        if let Some(python) = options.python() {
            let size = len.to_string();
            let run = move |n| python::run(python, "arrays.py", &[&size], n);
            race = race.add_timed(Role::Peer, ORIGINAL, expected, run).target(Target::Faster(4.0, ORIGINAL));
        }
    }
    race.run(options);
    assert!(ring.num_stored_items() == 0, "something is left in the ring");
}

fn write(options: &Options, bytes: usize) {
    let title = format!("shared memory, {} MB written", bytes / 1_000_000);
    if !options.wants(&title) {
        return;
    }
    let ring = ours::shared::ring(2 * bytes);
    let data: Vec<u8> = (0..bytes).map(|k| k as u8).collect();
    let memory = RefCell::new(vec![1; bytes]);
    let one = u64::from(data[bytes / 2]);
    let expected = |n| (0..n).fold(0, |digest, _| sum(digest, one));
    Race::new(title)
        .at_least(4)
        .longer(2)
        .add(Role::Ours, "tinypl, write", expected, |n| ours::shared::write(n, &ring, &data))
        .add(Role::Peer, COPIED, expected, |n| shared::memcpy(n, &mut memory.borrow_mut(), &data))
        .target(Target::Faster(0.9, COPIED))
        .run(options);
}
