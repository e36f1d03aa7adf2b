//! The desks of all workers who pull the same stage, and how an idle one takes over from another.
use super::desk::{Cursor, Desk, Seat};
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
    pub(crate) fn sit(&self, number: usize) -> Seat<'_, I> {
        self.desks[number].sit()
    }

    pub(crate) fn cursors(&self) -> Vec<Arc<Cursor>> {
        self.desks.iter().map(Desk::cursor).collect()
    }

    fn others(&self, number: usize) -> impl Iterator<Item = &Desk<I>> {
        let n = self.desks.len();
        (1..n).map(move |k| &self.desks[(number + k) % n])
    }

    /// Puts half of what another worker has not started on this worker's desk. How much that was; if nothing, then nothing
    /// was untouched: neither on a desk, nor on its way from one to another.
    #[cold]
    pub(crate) fn steal(&self, number: usize, seat: &mut Seat<'_, I>) -> usize {
        loop {
            let done = self.done.load(Acquire);
            let begun = self.begun.load(Acquire);
            for victim in self.others(number).filter(|desk| desk.anything_untouched()) {
                let n = self.carry(victim, seat);
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

    fn carry(&self, from: &Desk<I>, to: &mut Seat<'_, I>) -> usize {
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
