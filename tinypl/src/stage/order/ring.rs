//! What of `order::load` knows neither the stages above nor the order's name, and so is compiled once for each kind of
//! signal: whose turn it is, and what came early.
use super::window::Window;
use crate::Error;
use crate::error::Site;
use crate::pipe::Start;
use crate::pool::stop::Listening;
use crate::sync::Arc;
use std::collections::VecDeque;
use std::fmt;

pub(super) struct Ring<E> {
    window: Arc<Window>,
    /// Whether the window knows that this is who closes its tickets.
    open: bool,
    /// Whether others may lose tickets.
    shared: bool,
    /// The ticket whose turn it is.
    head: usize,
    /// `head` when `save` was last sure to see it.
    confirmed: usize,
    /// How many may be closed between two times that `save` is sure to see it.
    slack: usize,
    /// What came early: at `i` the signal with ticket `head + i`.
    early: VecDeque<Option<E>>,
}

impl<E> Ring<E> {
    pub(super) fn new(window: Arc<Window>) -> Self {
        Self { window, open: false, shared: false, head: 0, confirmed: 0, slack: 0, early: VecDeque::new() }
    }

    /// Goes to work on the order that is open last above, if it is this one and nobody else is at work on it. May be called
    /// again.
    pub(super) fn open(&mut self, start: &mut Start, site: Site) -> Result<(), Error> {
        let top = start.windows.pop();
        if !top.is_some_and(|top| Arc::ptr_eq(&top, &self.window)) {
            let what = "this order is another one of the same name: its `order::save` ran more than once, and this stream \
                        stands below another run of it";
            return Err(Error::of_stage(what.to_owned(), site));
        }
        if self.open {
            return Ok(());
        }
        let Some(head) = self.window.open() else {
            let what = "another `order::load` is at work on this order: load it once, and share what comes from there";
            return Err(Error::of_stage(what.to_owned(), site));
        };
        (self.open, self.head, self.confirmed) = (true, head, head);
        self.shared = self.window.is_shared();
        Ok(())
    }

    /// Keeps an early one; gives on the one whose turn it is.
    #[inline]
    pub(super) fn sort(&mut self, ticket: usize, signal: E) -> Option<E> {
        if ticket == self.head {
            self.early.pop_front();
            return Some(signal);
        }
        self.keep(ticket, signal);
        None
    }

    fn keep(&mut self, ticket: usize, signal: E) {
        let i = ticket - self.head;
        while self.early.len() <= i {
            self.early.push_back(None);
        }
        self.early[i] = Some(signal);
    }

    /// The one whose turn it is, if it came early.
    #[inline]
    pub(super) fn next(&mut self) -> Option<E> {
        match self.early.front() {
            Some(Some(_)) => self.early.pop_front().flatten(),
            _ => None,
        }
    }

    /// How many come one after the other, from the one whose turn it is, that are `sure`.
    pub(super) fn ready(&self, sure: impl Fn(&E) -> bool) -> usize {
        self.early.iter().take_while(|early| early.as_ref().is_some_and(&sure)).count()
    }

    /// How many of those that came early are `such`.
    pub(super) fn count(&self, such: impl Fn(&E) -> bool) -> usize {
        self.early.iter().flatten().filter(|early| such(early)).count()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.early.is_empty()
    }

    /// Passes over the ticket at the head if its signal was lost.
    #[inline]
    pub(super) fn pass_over_lost(&mut self) -> bool {
        let lost = self.window.was_lost(self.head);
        if lost {
            self.pass_over();
        }
        lost
    }

    /// Before a pull: others may call it back, if what came early waits for what they lose.
    #[inline]
    pub(super) fn listen(&self) -> Option<Listening> {
        (self.shared && !self.early.is_empty()).then(|| self.window.listen())
    }

    /// Whether a pull that gave nothing was called back.
    pub(super) fn was_called(&self) -> bool {
        self.shared && self.window.was_called()
    }

    /// The ticket at the head has no signal any more.
    #[cold]
    pub(super) fn pass_over(&mut self) {
        self.early.pop_front();
        self.close_head();
    }

    #[inline]
    pub(super) fn close_head(&mut self) {
        self.head += 1;
        if !self.open {
            return;
        }
        self.window.credits.give(self.head);
        if self.head - self.confirmed > self.slack {
            self.confirm();
        }
    }

    /// Whether `save` may not have seen all that was closed.
    #[inline]
    pub(super) fn is_unconfirmed(&self) -> bool {
        self.confirmed != self.head
    }

    /// Makes sure that `save` doesn't sleep on what was closed.
    pub(super) fn confirm(&mut self) {
        self.confirmed = self.head;
        self.slack = self.window.credits.slack();
        self.window.credits.gave();
    }
}

impl<E> Ring<E> {
    /// Nothing comes any more from where this pulls. Others may pull there and load the order further: what came early is
    /// given on here out of turn, and they don't wait for it.
    pub(super) fn leave(&mut self) {
        if std::mem::take(&mut self.open) {
            let held = self.early.iter().enumerate().filter(|(_, early)| early.is_some()).map(|(i, _)| self.head + i);
            self.window.close(self.head, held);
        }
    }
}

impl<E> Drop for Ring<E> {
    fn drop(&mut self) {
        self.leave();
    }
}

impl<E> fmt::Debug for Ring<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ring").field("head", &self.head).finish_non_exhaustive()
    }
}
