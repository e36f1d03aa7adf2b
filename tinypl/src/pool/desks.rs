//! The desks of all workers who pull the same stage, and how an idle one takes over from another.
use super::desk::{Cursor, Desk};
use crate::sync::{Arc, AtomicUsize, Ordering::*, yield_now};

#[derive(Debug)]
pub(crate) struct Desks<I> {
    desks: Box<[Desk<I>]>,
    /// How many times a worker began to take something from one desk to another, and how many times it was done.
    begun: AtomicUsize,
    done: AtomicUsize,
}

impl<I> Desks<I> {
    pub(crate) fn new(workers: usize, chunk: usize) -> Self {
        let desks = (0..workers).map(|_| Desk::new(chunk)).collect();
        Self { desks, begun: AtomicUsize::new(0), done: AtomicUsize::new(0) }
    }

    #[inline]
    pub(crate) fn desk(&self, seat: usize) -> &Desk<I> {
        &self.desks[seat]
    }

    pub(crate) fn cursors(&self) -> Vec<Arc<Cursor>> {
        self.desks.iter().map(Desk::cursor).collect()
    }

    fn others(&self, seat: usize) -> impl Iterator<Item = &Desk<I>> {
        let n = self.desks.len();
        (1..n).map(move |k| &self.desks[(seat + k) % n])
    }

    /// Whether there is something on another desk that nobody has started.
    pub(crate) fn anything_to_steal(&self, seat: usize) -> bool {
        self.others(seat).any(Desk::anything_untouched)
    }

    /// Puts half of what another worker has not started on this worker's desk. How much that was; if nothing, then nothing
    /// was untouched: neither on a desk, nor on its way from one to another.
    #[cold]
    pub(crate) fn steal(&self, seat: usize) -> usize {
        loop {
            let done = self.done.load(Acquire);
            let begun = self.begun.load(Acquire);
            for victim in self.others(seat).filter(|desk| desk.anything_untouched()) {
                let n = self.carry(victim, self.desk(seat));
                if n > 0 {
                    return n;
                }
            }
            if done == begun && self.begun.load(Acquire) == begun {
                return 0;
            }
            yield_now();
        }
    }

    fn carry(&self, from: &Desk<I>, to: &Desk<I>) -> usize {
        self.begun.fetch_add(1, AcqRel);
        let stolen = from.steal();
        let n = stolen.len();
        if n > 0 {
            let mut loading = to.load();
            stolen.into_iter().for_each(|signal| loading.put(signal));
        }
        self.done.fetch_add(1, AcqRel);
        n
    }
}
