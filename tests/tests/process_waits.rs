//! What is finished waits for nothing that is slow.
use serde::{Deserialize, Serialize, Serializer};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use tinypl::{Pipeline, process, source};
use tinypl_tests::{Deed, Errand, Scratch, linger, note, runs_of, tidy, wait_until};

/// Whether the parent waits where it encodes a [`Held`] that is to be held; and whether it does.
static HELD: AtomicBool = AtomicBool::new(false);
static HOLDING: AtomicBool = AtomicBool::new(false);

/// What is pulled together with one that is held is not handed out before it.
#[derive(Deserialize)]
struct Held {
    n: u64,
    held: bool,
}

impl Serialize for Held {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.held {
            HOLDING.store(true, SeqCst);
            wait_until(|| !HELD.load(SeqCst));
        }
        (self.n, self.held).serialize(serializer)
    }
}

/// Items were cheap; then a worker that has nothing to do, whose driver sleeps, gets a cheap one and a slow one at once.
#[test]
fn a_result_does_not_wait_for_the_item_that_came_with_it() {
    /// How many came before: twice as many as are pulled at once.
    const CHEAP: u64 = 64;
    let _tidy = tidy(300);
    for _ in 0..10 {
        let scratch = Scratch::new();
        HELD.store(true, SeqCst);
        HOLDING.store(false, SeqCst);
        let slow = CHEAP + 1;
        let errand = |n| (n == slow).then(|| Errand::always(&scratch.dir(), n, Deed::Wait));
        let items: Vec<_> = (0..CHEAP + 10).map(|n| (Held { n, held: n == CHEAP }, errand(n))).collect();
        let f = |(held, errand): (Held, Option<Errand>)| errand.map_or(held.n, |errand| errand.run());
        let stage = process::map(source(items), f).workers(1).maxsize(200);
        let mut pipe = Pipeline::new(stage);
        wait_until(|| HOLDING.load(SeqCst));
        linger();
        HELD.store(false, SeqCst);
        wait_until(|| runs_of(&scratch.dir(), slow).len() == 1);
        assert!(pipe.by_ref().take(slow as usize).eq(0..slow));
        note(&scratch.dir(), "go", "");
        assert!(pipe.eq(slow..CHEAP + 10));
    }
}
