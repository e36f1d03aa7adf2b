//! What a worker and its parent share, and what the feeders of a stage do, under every interleaving and with weak memory.
use super::feed::Feed;
use super::page::{Page, Turn};
use crate::sync::{AtomicUsize, Ordering::*};
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

/// Two pull in turns, and hand on beside each other: one of them says that it is over, when the ledger has all.
#[test]
fn the_last_of_two_feeders_ends_the_stage() {
    loom::model(|| {
        let (feed, ledger, ends) =
            (Arc::new(Feed::new(None)), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let feeding = {
            let (feed, ledger, ends) = (feed.clone(), ledger.clone(), ends.clone());
            move || {
                loop {
                    let mut pulled = feed.turn();
                    if feed.is_over() {
                        return;
                    }
                    let goes_on = pulled.items < 2;
                    pulled.items += usize::from(goes_on);
                    feed.has_pulled(goes_on);
                    drop(pulled);
                    ledger.fetch_add(usize::from(goes_on), Relaxed);
                    if feed.has_handed_on() {
                        assert_eq!(ledger.load(Relaxed), 2, "the ledger has all, and whoever ends the stage sees it");
                        ends.fetch_add(1, Relaxed);
                    }
                }
            }
        };
        let other = thread::spawn(feeding.clone());
        feeding();
        other.join().expect("no panic");
        assert_eq!(ends.load(Relaxed), 1, "it ends once");
    });
}

/// The second one is woken by the first large item, or by the end. (Time stands still: a wake-up that is lost shows.)
#[test]
fn a_feeder_that_is_not_needed_is_woken() {
    for large in [false, true] {
        loom::model(move || {
            let feed = Arc::new(Feed::new(None));
            let second = {
                let feed = feed.clone();
                thread::spawn(move || feed.sleep_until_it_helps())
            };
            feed.note_size(1);
            if large {
                feed.note_size(1 << 20);
            } else {
                feed.has_pulled(false);
            }
            second.join().expect("no panic");
        });
    }
}
