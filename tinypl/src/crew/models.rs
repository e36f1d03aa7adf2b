//! What a worker and its parent share, under every interleaving and with weak memory.
use super::page::{Page, Turn};
use loom::sync::Arc;
use loom::thread;

/// The worker runs what it starts; the parent takes back the rest, once.
#[test]
fn an_item_is_run_or_taken_back() {
    loom::model(|| {
        let page = Arc::new(Page::default());
        let worker = {
            let page = page.clone();
            thread::spawn(move || (0..3).take_while(|_| page.start() != Turn::Drop).count() as u64)
        };
        let back = page.recall();
        let ran = worker.join().expect("no panic");
        assert_eq!(back, Some(ran), "what was not taken back ran, and nothing else");
        assert_eq!(page.started(), None, "until it is told to go on");
    });
}

/// A second recall finds the worker stopped still, or gone on from where it was told to.
#[test]
fn a_recall_counts_once() {
    loom::model(|| {
        let page = Arc::new(Page::default());
        assert_eq!(page.recall(), Some(0));
        let worker = {
            let page = page.clone();
            thread::spawn(move || {
                assert_eq!(page.start(), Turn::Drop, "it was taken back");
                page.resume(0);
                u64::from(page.start() != Turn::Drop)
            })
        };
        let again = page.recall();
        let ran = worker.join().expect("no panic");
        match again {
            Some(started) => assert_eq!(started, ran),
            None => assert_eq!((ran, page.started()), (1, Some(1)), "the first one was still in force"),
        }
    });
}

/// What the parent sees of the outbox was there at one time.
#[test]
fn finished_results_are_seen_whole_or_not_at_all() {
    loom::model(|| {
        let page = Arc::new(Page::default());
        let worker = {
            let page = page.clone();
            thread::spawn(move || {
                assert!(page.publish(&[1]));
                assert!(page.publish(&[2]));
                page.sent();
                assert!(page.publish(&[3]));
            })
        };
        let seen = page.finished();
        assert!([&[][..], &[1], &[1, 2], &[3]].contains(&&*seen), "{seen:?} was never there");
        worker.join().expect("no panic");
        assert_eq!(page.finished(), [3]);
    });
}

/// A parent that sleeps has seen what was finished, or hears of it before the next item begins.
#[test]
fn no_result_waits_for_the_item_behind_it() {
    loom::model(|| {
        let page = Arc::new(Page::default());
        let worker = {
            let page = page.clone();
            thread::spawn(move || {
                let mut sent = false;
                for n in 0..3 {
                    if page.start() == Turn::SendAndRun && n > 0 && !sent {
                        page.wake();
                        page.sent();
                        sent = true;
                    }
                    assert!(n == 2 || page.publish(&[n]), "there is room");
                }
                sent
            })
        };
        let seen = if page.listen() { page.finished() } else { Vec::new() };
        let sent = worker.join().expect("no panic");
        assert!(sent || seen == [0, 1], "{seen:?} was seen, and the last item is slow");
    });
}
