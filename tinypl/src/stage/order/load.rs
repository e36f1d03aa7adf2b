//! `order::load(o)`: one puller at a time.
use super::window::{Order, Ticket, Top, Window};
use crate::Error;
use crate::error::Site;
use crate::locked::{Given, Locked, Serial, stopping};
use crate::pipe::{Envelope, Named, Pipe, Ride, Signal, Start, Upstream};
use crate::sync::Arc;
use std::collections::VecDeque;
use std::fmt;
use std::marker::PhantomData;

/// Gives the items (and the markers) back in the order that [`save`](super::save) saw. What comes early is kept until it is
/// its turn; what was filtered out, or left the stream in another way, is not waited for.
///
/// Orders nest: the one saved last is loaded first.
///
/// ```
/// use tinypl::pipeline;
///
/// let squares: Vec<_> = pipeline! {
///     range(50) |> o @ order::save(8) |> thread::map(|x| x * x, workers = 4) |> order::load(o) |> collect()
/// };
/// assert!(squares.is_sorted());
/// ```
///
/// # Errors
/// When the order is another one of the same name (its `order::save` ran twice), or when another `order::load` is at work
/// on it.
#[track_caller]
pub fn load<P: Pipe<Tags: Top<B>>, B>(up: P, order: &Order<B>) -> Locked<Load<P, B>> {
    let site = Site::here("order::load");
    let stage = Load {
        up,
        window: order.window().clone(),
        open: false,
        failed: None,
        head: 0,
        confirmed: 0,
        slack: 0,
        early: VecDeque::new(),
        over: false,
        site,
        brand: PhantomData,
    };
    Locked::new(stage, site)
}

/// The stage of [`load`]. `B` is the order's name.
#[must_use = "a stage does nothing until it is pulled"]
pub struct Load<P: Pipe, B> {
    up: P,
    window: Arc<Window>,
    /// Whether the window knows that this is who closes its tickets.
    open: bool,
    failed: Option<Error>,
    /// The ticket whose turn it is.
    head: usize,
    /// `head` when `save` was last sure to see it.
    confirmed: usize,
    /// How many may be closed between two times that `save` is sure to see it.
    slack: usize,
    /// What came early: at `i` the signal with ticket `head + i`.
    early: VecDeque<Option<Signal<P>>>,
    over: bool,
    site: Site,
    brand: PhantomData<fn() -> B>,
}

impl<P: Pipe<Tags: Top<B>>, B> Load<P, B> {
    /// Keeps an early one; gives on the one whose turn it is.
    #[inline]
    fn sort(&mut self, signal: Signal<P>) -> Option<Signal<P>> {
        let Ticket(ticket) = P::Tags::ticket(signal.ride());
        let i = ticket - self.head;
        if i == 0 {
            self.early.pop_front();
            return Some(signal);
        }
        while self.early.len() <= i {
            self.early.push_back(None);
        }
        self.early[i] = Some(signal);
        None
    }

    /// The signal whose turn it is.
    #[inline]
    fn turn(&mut self) -> Option<Signal<P>> {
        loop {
            if let Some(Some(_)) = self.early.front() {
                return self.early.pop_front().flatten();
            }
            if self.over {
                // what is missing never comes: before an error nothing follows it, else it leaves no gap
                if self.early.is_empty() || self.up.finish().is_err() {
                    return None;
                }
                self.pass_over();
                continue;
            }
            if self.window.was_lost(self.head) {
                self.pass_over();
                continue;
            }
            self.confirm_before_waiting();
            match self.up.pull() {
                Some(signal) => {
                    if let Some(signal) = self.sort(signal) {
                        return Some(signal);
                    }
                }
                None if stopping() => return None,
                None => self.over = true,
            }
        }
    }

    /// The ticket at the head has no signal any more.
    fn pass_over(&mut self) {
        self.early.pop_front();
        self.close_head();
    }

    #[inline]
    fn close_head(&mut self) {
        self.head += 1;
        self.window.credits.give(self.head);
        if self.head - self.confirmed > self.slack {
            self.confirm();
        }
    }

    /// Makes sure that `save` doesn't sleep on what was closed.
    fn confirm(&mut self) {
        self.confirmed = self.head;
        self.slack = self.window.credits.slack();
        self.window.credits.gave();
    }

    #[inline]
    fn confirm_before_waiting(&mut self) {
        if self.confirmed != self.head && self.up.ready() == 0 {
            self.confirm();
        }
    }

    /// This order, and nobody else at work on it.
    fn open(&mut self, start: &mut Start) -> Result<(), Error> {
        let top = start.windows.pop();
        if !top.is_some_and(|top| Arc::ptr_eq(&top, &self.window)) {
            let what = "this order is another one of the same name: its `order::save` ran more than once, and this stream \
                        stands below another run of it";
            return Err(Error::of_stage(what.to_owned(), self.site));
        }
        if self.open {
            return Ok(());
        }
        let Some(head) = self.window.open() else {
            let what = "another `order::load` is at work on this order: load it once, and share what comes from there";
            return Err(Error::of_stage(what.to_owned(), self.site));
        };
        (self.open, self.head, self.confirmed) = (true, head, head);
        Ok(())
    }
}

impl<P: Pipe<Tags: Top<B>>, B> Serial for Load<P, B> {
    type Item = P::Item;
    type Marker = P::Marker;
    type Tags = <P::Tags as Top<B>>::Rest;

    #[inline]
    fn pull(&mut self) -> Option<Given<Self>> {
        if self.failed.is_some() {
            return None;
        }
        loop {
            let signal = self.turn()?;
            self.close_head();
            let loaded = P::Tags::take_off(signal);
            if loaded.is_some() {
                return loaded;
            }
        }
    }

    fn upstream(&mut self) -> Option<&mut dyn Upstream> {
        Some(&mut self.up)
    }

    fn ready(&mut self) -> usize {
        if self.failed.is_some() {
            return 0;
        }
        for _ in 0..self.up.ready() {
            match self.up.pull() {
                None if stopping() => break,
                None => {
                    self.over = true;
                    break;
                }
                Some(signal) => {
                    if let Some(signal) = self.sort(signal) {
                        self.early.push_front(Some(signal));
                    }
                }
            }
        }
        // a gap that no other order needs is swallowed
        let gaps_stay = <<Self::Tags as Named>::Raw as Ride>::gap().is_some();
        let sure =
            |early: &&Option<Signal<P>>| early.as_ref().is_some_and(|e| gaps_stay || !matches!(e, Envelope::Gap(..)));
        self.early.iter().take_while(sure).count()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, self.up.size_hint().1)
    }

    fn start(&mut self, start: &mut Start) {
        self.up.start(start);
        if self.failed.is_none() {
            self.failed = self.open(start).err();
        }
    }

    fn finish(&mut self) -> Result<(), Error> {
        self.failed.clone().map_or_else(|| self.up.finish(), Err)
    }
}

impl<P: Pipe, B> Drop for Load<P, B> {
    fn drop(&mut self) {
        if self.open {
            let held = self.early.iter().enumerate().filter(|(_, early)| early.is_some()).map(|(i, _)| self.head + i);
            self.window.close(self.head, held);
        }
    }
}

impl<P: Pipe + fmt::Debug, B> fmt::Debug for Load<P, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Load").field("head", &self.head).field("up", &self.up).finish_non_exhaustive()
    }
}
