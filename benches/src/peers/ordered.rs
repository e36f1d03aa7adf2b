//! Two or more threads apply the function to the items of an iterator; this thread receives the
//! results in the order of the items, while about so many are under way.

use super::Work;
use crate::work::hash;
use crossbeam_channel::bounded;
use pariter::IteratorExt;
use rayon::iter::{IndexedParallelIterator, IntoParallelRefIterator, ParallelBridge, ParallelIterator};
use std::collections::VecDeque;
use std::thread;

/// pariter's `parallel_map`.
#[inline(never)]
pub fn pariter(n: u64, workers: usize, maxsize: usize, f: impl Work) -> u64 {
    let results = (0..n).parallel_map_custom(|o| o.threads(workers).buffer_size(maxsize), f);
    results.fold(0, hash)
}

/// By hand: fan-out and fan-in of numbered items, put back in order by the receiver.
#[inline(never)]
pub fn crossbeam(n: u64, workers: usize, maxsize: usize, f: impl Work) -> u64 {
    let (feed, items) = bounded(maxsize);
    let (tx, rx) = bounded(maxsize);
    thread::scope(|scope| {
        scope.spawn(move || {
            (0..n).enumerate().for_each(|item| feed.send(item).expect("a worker lives"));
        });
        for _ in 0..workers {
            let (items, tx) = (items.clone(), tx.clone());
            scope.spawn(move || {
                for (number, x) in items {
                    tx.send((number, f(x))).expect("the receiver lives");
                }
            });
        }
        drop((items, tx));
        in_order(rx).fold(0, hash)
    })
}

/// By hand: each worker has its own two channels, which are served in turn.
#[inline(never)]
pub fn crossbeam_in_turn(n: u64, workers: usize, maxsize: usize, f: impl Work) -> u64 {
    let size = (maxsize / workers).max(1);
    thread::scope(|scope| {
        let (mut feeds, mut results) = (Vec::new(), Vec::new());
        for _ in 0..workers {
            let (feed, items) = bounded(size);
            let (tx, rx) = bounded(size);
            scope.spawn(move || {
                items.into_iter().for_each(|x| tx.send(f(x)).expect("the receiver lives"));
            });
            feeds.push(feed);
            results.push(rx);
        }
        scope.spawn(move || {
            for (x, feed) in (0..n).zip(feeds.iter().cycle()) {
                feed.send(x).expect("the worker lives");
            }
        });
        let mut digest = 0;
        for rx in results.iter().cycle() {
            // The feeder ends after all items: the first worker without a result is behind the last.
            let Ok(y) = rx.recv() else { break };
            digest = hash(digest, y);
        }
        digest
    })
}

/// rayon's `par_bridge` over numbered items, into a bounded channel, put back in order.
#[inline(never)]
pub fn rayon_par_bridge(n: u64, maxsize: usize, f: impl Work) -> u64 {
    let (tx, rx) = bounded(maxsize);
    thread::scope(|scope| {
        scope.spawn(move || {
            let results = (0..n).enumerate().par_bridge().map(|(number, x)| (number, f(x)));
            results.for_each_with(tx, |tx, y| tx.send(y).expect("the receiver lives"));
        });
        in_order(rx).fold(0, hash)
    })
}

/// rayon block by block: `maxsize` items are read, mapped in parallel, and received. Nothing is
/// computed while this thread receives.
#[inline(never)]
pub fn rayon_blocks(n: u64, maxsize: usize, f: impl Work) -> u64 {
    let mut source = 0..n;
    let (mut block, mut results) = (Vec::new(), Vec::new());
    let mut digest = 0;
    loop {
        block.clear();
        block.extend(source.by_ref().take(maxsize));
        if block.is_empty() {
            return digest;
        }
        block.par_iter().map(|&x| f(x)).collect_into_vec(&mut results);
        digest = results.iter().fold(digest, |digest, &y| hash(digest, y));
    }
}

/// Puts numbered results back in order.
fn in_order(results: impl IntoIterator<Item = (usize, u64)>) -> impl Iterator<Item = u64> {
    let (mut results, mut early, mut next) = (results.into_iter(), VecDeque::new(), 0);
    std::iter::from_fn(move || {
        loop {
            if let Some(Some(_)) = early.front() {
                next += 1;
                return early.pop_front().flatten();
            }
            let (number, y) = results.next()?;
            if number == next {
                early.pop_front();
                next += 1;
                return Some(y);
            }
            let place = number - next;
            if early.len() <= place {
                early.resize(place + 1, None);
            }
            early[place] = Some(y);
        }
    })
}

#[cfg(test)]
mod tests {
    use super::in_order;

    #[test]
    fn numbered_results_come_in_order() {
        let results = [3, 0, 2, 1, 4, 6, 5].map(|k| (k, k as u64 * 10));
        assert!(in_order(results).eq((0..7).map(|k| k * 10)));
    }
}
