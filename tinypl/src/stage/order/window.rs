//! What [`save`](super::save) and [`load`](super::load) share, and what rides along between them.
use crate::monitor::brand;
use crate::pipe::{Envelope, Named, Ride, Tagged};
use crate::pool::Credits;
use crate::pool::stop::{Listening, Stop};
use crate::sync::{Arc, AtomicBool, Mutex, Ordering::*};
use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;

/// An order: the handle `o` of `o @ order::save(maxsize)`. It does not keep the pipeline alive.
pub struct Order<B>(Arc<Window>, PhantomData<fn() -> B>);

impl<B> Order<B> {
    pub(crate) fn new(window: Arc<Window>) -> Self {
        Self(window, PhantomData)
    }

    pub(crate) fn window(&self) -> &Arc<Window> {
        &self.0
    }

    /// How many items may be under way from now on.
    ///
    /// # Panics
    /// If `n` is 0.
    #[track_caller]
    pub fn set_maxsize(&self, n: usize) {
        assert!(n > 0, "`maxsize` must be at least 1");
        self.0.credits.set_bound(n);
    }

    /// How many items may be under way.
    pub fn maxsize(&self) -> usize {
        self.0.credits.bound()
    }
}

impl<B> Clone for Order<B> {
    fn clone(&self) -> Self {
        Self::new(self.0.clone())
    }
}

impl<B> fmt::Debug for Order<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Order").field("maxsize", &self.maxsize()).finish()
    }
}

/// An order in the types; what travels is a [`Ticket`].
pub struct Ordered<B>(PhantomData<fn() -> B>);

impl<B> fmt::Debug for Ordered<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ordered")
    }
}

impl<B, G: Tagged> Named for (Ordered<B>, G) {
    type Raw = (Ticket, G::Raw);

    fn names(names: &mut Vec<String>) {
        names.push(brand::<B>().unwrap_or("order").to_owned());
        G::names(names);
    }
}

/// A signal's number in an order. It is a number and no more: a signal that is discarded leaves its ticket in the stream as
/// a gap, so that nobody has to watch for lost ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket(pub(super) usize);

/// The tickets that one of several holders of a stream was handed. When he is gone, what of them nobody closed is lost.
#[derive(Debug)]
pub(crate) struct Handed<G: Ride> {
    rides: Vec<G>,
    windows: Vec<Arc<Window>>,
    /// How many to gather before those that were closed are forgotten.
    limit: usize,
}

impl<G: Ride> Handed<G> {
    pub(crate) fn new() -> Self {
        Self { rides: Vec::new(), windows: Vec::new(), limit: 64 }
    }

    /// The orders that are open.
    pub(crate) fn open(&mut self, windows: &[Arc<Window>]) {
        self.windows = windows.to_vec();
    }

    #[inline]
    pub(crate) fn note(&mut self, ride: &G) {
        if size_of::<G>() > 0 {
            self.keep(*ride);
        }
    }

    fn keep(&mut self, ride: G) {
        if self.rides.len() >= self.limit {
            self.rides.retain(|ride| ride.is_open(&self.windows));
            self.limit = (2 * self.rides.len()).max(64);
        }
        self.rides.push(ride);
    }
}

impl<G: Ride> Drop for Handed<G> {
    fn drop(&mut self) {
        for ride in &self.rides {
            ride.leave(&self.windows);
        }
    }
}

impl<R: Ride> Ride for (Ticket, R) {
    type Gap = ();

    #[inline(always)]
    fn gap() -> Option<()> {
        Some(())
    }

    fn leave(&self, windows: &[Arc<Window>]) {
        if let Some((window, rest)) = windows.split_last() {
            window.lose(self.0.0);
            self.1.leave(rest);
        }
    }

    fn is_open(&self, windows: &[Arc<Window>]) -> bool {
        windows.split_last().is_some_and(|(window, rest)| window.is_open(self.0.0) || self.1.is_open(rest))
    }
}

/// The order `B` is the one saved last, and not yet loaded.
#[diagnostic::on_unimplemented(
    message = "the order `{B}` can't be loaded here",
    label = "the order last saved above (and not yet loaded) is not this one",
    note = "save it upstream, `o @ order::save(n)`, and load nested orders innermost first"
)]
pub trait Top<B>: Tagged {
    /// The orders that are left.
    type Rest: Tagged;
    /// The ticket of this order.
    fn ticket(ride: &Self::Raw) -> Ticket;
    /// Takes the ticket off. `None`: a gap, and no order that is left needs it.
    fn take_off<T, M>(signal: Envelope<T, M, Self::Raw>) -> Option<Envelope<T, M, <Self::Rest as Named>::Raw>>;
}

#[diagnostic::do_not_recommend]
impl<B, G: Tagged> Top<B> for (Ordered<B>, G) {
    type Rest = G;

    #[inline(always)]
    fn ticket(ride: &(Ticket, G::Raw)) -> Ticket {
        ride.0
    }

    #[inline(always)]
    fn take_off<T, M>(signal: Envelope<T, M, (Ticket, G::Raw)>) -> Option<Envelope<T, M, G::Raw>> {
        match signal {
            Envelope::Item(x, (_, g)) => Some(Envelope::Item(x, g)),
            Envelope::Mark(m, (_, g)) => Some(Envelope::Mark(m, g)),
            Envelope::Gap((), (_, g)) => Envelope::gap(g),
        }
    }
}

/// How far an order's items may be apart.
#[derive(Debug)]
pub struct Window {
    /// Tickets given out by `save` and closed, in their order, by `load`.
    pub(super) credits: Credits,
    lost: Mutex<Lost>,
    /// Whether `lost` holds a ticket.
    any_lost: AtomicBool,
    /// Whether the stream between has several holders, one of whom may lose what `load` waits for.
    shared: AtomicBool,
    /// Calls `load` back from the stages above.
    call: Arc<Stop>,
}

#[derive(Debug, Default)]
struct Lost {
    /// Tickets of signals that left the stream elsewhere than by `load`.
    tickets: BTreeSet<usize>,
    /// Whether a `load` is at work: it closes tickets then. Else whoever loses one does.
    loading: bool,
    /// The first ticket that is not closed, while no `load` is at work.
    head: usize,
}

impl Window {
    pub(super) fn new(maxsize: usize) -> Arc<Self> {
        Arc::new(Self {
            credits: Credits::new(maxsize),
            lost: Mutex::new(Lost::default()),
            any_lost: AtomicBool::new(false),
            shared: AtomicBool::new(false),
            call: Arc::default(),
        })
    }

    /// The stream with its tickets is going to have several holders.
    pub(crate) fn share(&self) {
        self.shared.store(true, Relaxed);
    }

    /// Whether there may be others than `load` who lose a ticket. All are known when `load` starts: they share what it pulls from.
    pub(super) fn is_shared(&self) -> bool {
        self.shared.load(Relaxed)
    }

    /// `load` is going to wait for what may have been lost by then.
    pub(super) fn listen(&self) -> Listening {
        Listening::to(&self.call)
    }

    /// Whether `load` was called back. It then looks again what was lost.
    pub(super) fn was_called(&self) -> bool {
        self.call.take()
    }

    /// A `load` goes to work: from which ticket on; `None` if another one is.
    pub(super) fn open(&self) -> Option<usize> {
        let mut lost = self.lost.lock();
        if std::mem::replace(&mut lost.loading, true) {
            return None;
        }
        Some(lost.head)
    }

    /// The `load` that was at work ends before ticket `head`, and takes what it holds with it.
    pub(super) fn close(&self, head: usize, held: impl Iterator<Item = usize>) {
        let mut lost = self.lost.lock();
        held.for_each(|ticket| self.insert(&mut lost, ticket));
        lost.loading = false;
        lost.head = head;
        self.advance(&mut lost);
    }

    /// A lost ticket is no longer under way: its place is given back at once, for a `load` that waits for it may sleep. When
    /// the head passes it, it is closed like all others.
    fn insert(&self, lost: &mut Lost, ticket: usize) {
        if lost.tickets.insert(ticket) {
            self.any_lost.store(true, Release);
            self.credits.give_back(1);
        }
    }

    fn remove(&self, lost: &mut Lost, ticket: usize) -> bool {
        let found = lost.tickets.remove(&ticket);
        if found {
            self.any_lost.store(!lost.tickets.is_empty(), Release);
            self.credits.take_back(1);
        }
        found
    }

    /// Whether a ticket is neither closed nor known to be lost.
    fn is_open(&self, ticket: usize) -> bool {
        ticket >= self.credits.closed() && !self.lost.lock().tickets.contains(&ticket)
    }

    /// A signal left the stream elsewhere than by `load`. If its ticket is closed already, nothing happens.
    #[cold]
    fn lose(&self, ticket: usize) {
        let mut lost = self.lost.lock();
        if ticket < self.credits.closed() {
            return;
        }
        self.insert(&mut lost, ticket);
        if !lost.loading {
            return self.advance(&mut lost);
        }
        drop(lost);
        // what came early may be due now
        self.call.request();
    }

    /// Closes what is lost at the head.
    fn advance(&self, lost: &mut Lost) {
        while self.remove(lost, lost.head) {
            lost.head += 1;
        }
        self.credits.give(lost.head);
        self.credits.gave();
    }

    /// Whether ticket `head` was lost; for the `load` at work.
    #[inline]
    pub(super) fn was_lost(&self, head: usize) -> bool {
        self.any_lost.load(Acquire) && self.find_lost(head)
    }

    #[cold]
    fn find_lost(&self, head: usize) -> bool {
        self.remove(&mut self.lost.lock(), head)
    }
}
