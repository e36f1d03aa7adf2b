//! What was pulled from a source, and what its consumer has asked for.
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use tinypl::{Envelope, Given, Locked, Pipe, Pipeline, Serial, Upstream, stage};

/// Keeps the books of one pipeline.
///
/// An item counts as delivered from the moment that the consumer asks for it: when exactly within `next` it changes hands
/// can't be told from outside. So between two calls [`ahead`](Self::ahead) is what was pulled and not delivered, and
/// [`most`](Self::most), taken at each pull, is never more than that was.
#[derive(Clone, Debug, Default)]
pub struct Ledger(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    pulled: AtomicUsize,
    asked: AtomicUsize,
    most: AtomicUsize,
}

impl Ledger {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// A source of the numbers below `n`. Where it is `sure` (that no pull waits), workers take chunks of it.
    pub fn source(&self, n: u64, sure: bool) -> Locked<Numbers> {
        stage(Numbers { next: 0, end: n, sure, ledger: self.clone() })
    }

    /// The next item, or the panic that `next` gives.
    pub fn next<P: Pipe>(&self, pipe: &mut Pipeline<P>) -> Option<P::Item> {
        self.0.asked.fetch_add(1, SeqCst);
        let item = pipe.next();
        if item.is_none() {
            self.0.asked.fetch_sub(1, SeqCst);
        }
        item
    }

    /// How many items were pulled from the source.
    pub fn pulled(&self) -> usize {
        self.0.pulled.load(SeqCst)
    }

    /// How many items were pulled and not delivered: exact between two calls of [`next`](Self::next).
    pub fn ahead(&self) -> usize {
        self.pulled().saturating_sub(self.0.asked.load(SeqCst))
    }

    /// The most that it ever was.
    pub fn most(&self) -> usize {
        self.0.most.load(SeqCst)
    }

    /// Forgets the most, to see it anew.
    pub fn forget_most(&self) {
        self.0.most.store(0, SeqCst);
    }

    fn pull(&self) {
        self.0.pulled.fetch_add(1, SeqCst);
        self.0.most.fetch_max(self.ahead(), SeqCst);
    }
}

/// The source of [`Ledger::source`].
#[derive(Debug)]
pub struct Numbers {
    next: u64,
    end: u64,
    sure: bool,
    ledger: Ledger,
}

impl Serial for Numbers {
    type Item = u64;
    type Marker = Infallible;
    type Tags = ();

    fn pull(&mut self) -> Option<Given<Self>> {
        if self.next == self.end {
            return None;
        }
        self.ledger.pull();
        self.next += 1;
        Some(Envelope::Item(self.next - 1, ()))
    }

    fn upstream(&mut self) -> Option<&mut dyn Upstream> {
        None
    }

    fn ready(&mut self) -> usize {
        if self.sure { usize::try_from(self.end - self.next).unwrap_or(usize::MAX) } else { 0 }
    }
}
