//! Who pulls and encodes for worker processes: for large items two threads, and neither after a stop.
use serde::{Deserialize, Serialize, Serializer};
use std::iter;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier, LazyLock};
use std::thread::yield_now;
use tinypl::{Pipeline, pipeline, process, source, stopping};
use tinypl_tests::{tidy, wait_until};

const LARGE: usize = 100_000;

/// Where those meet that are encoded side by side.
static MEETING: LazyLock<Barrier> = LazyLock::new(|| Barrier::new(2));

#[derive(Deserialize)]
struct Large {
    n: u64,
    bytes: Vec<u8>,
    meets: bool,
}

impl Serialize for Large {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.meets {
            MEETING.wait();
        }
        // what the other side gets met already
        (self.n, &self.bytes, false).serialize(serializer)
    }
}

/// After the first one, which tells that they are large, each waits while it is encoded for another one that is, too.
#[test]
fn large_items_are_encoded_side_by_side() {
    let _tidy = tidy(300);
    for workers in [1, 2] {
        let large = |n| Large { n, bytes: vec![n as u8; LARGE], meets: n > 0 };
        let pipe = pipeline! {
            range(21_u64)
                |> map(large)
                |> o @ order::save(8)
                |> process::map(|large: Large| (large.n, large.bytes.len()), workers = workers, maxsize = 8)
                |> order::load(o)
        };
        assert!(pipe.eq((0..21).map(|n| (n, LARGE))));
    }
}

/// A source that gives an item when it hears of the stop, not earlier.
#[test]
fn after_a_stop_nobody_waits_for_the_source_once_more() {
    let _tidy = tidy(300);
    for size in [0, LARGE] {
        let pulls = Arc::new(AtomicUsize::new(0));
        let pulled = pulls.clone();
        let items = iter::from_fn(move || {
            if pulled.fetch_add(1, SeqCst) >= 8 {
                while !stopping() {
                    yield_now();
                }
            }
            Some(vec![0_u8; size])
        });
        let mut pipe = Pipeline::new(process::map(source(items), |bytes| bytes.len()).workers(2).maxsize(32));
        assert!(pipe.by_ref().take(8).eq([size; 8]));
        wait_until(|| pulls.load(SeqCst) == 9);
        drop(pipe);
        assert_eq!(pulls.load(SeqCst), 9);
    }
}
