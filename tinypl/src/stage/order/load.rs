//! `order::load(o)`: one puller at a time.
use super::ring::Ring;
use super::window::{Order, Ticket, Top};
use crate::Error;
use crate::error::Site;
use crate::graph::Kind;
use crate::locked::{Given, Locked, Serial, pulls, stopping};
use crate::monitor::{Survey, brand};
use crate::pipe::{Envelope, Named, Pipe, Ride, Signal, Start, Upstream, Way};
use crate::post::Post;
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
    let post = Post::here("order::load");
    let site = post.site();
    let ring = Ring::new(order.window().clone());
    Locked::new(Load { up, ring, over: false, failed: None, site, brand: PhantomData }, post)
}

/// The stage of [`load`]. `B` is the order's name.
#[must_use = "a stage does nothing until it is pulled"]
pub struct Load<P: Pipe, B> {
    up: P,
    ring: Ring<Signal<P>>,
    over: bool,
    failed: Option<Error>,
    site: Site,
    brand: PhantomData<fn() -> B>,
}

impl<P: Pipe<Tags: Top<B>>, B> Load<P, B> {
    /// The signal whose turn it is.
    #[inline]
    fn turn<W: Way>(&mut self) -> Option<Signal<P>> {
        loop {
            if let Some(signal) = self.ring.next() {
                return Some(signal);
            }
            if self.over {
                // what is missing never comes: before an error nothing follows it, else it leaves no gap
                if self.ring.is_empty() || self.up.finish().is_err() {
                    return None;
                }
                self.ring.pass_over();
                continue;
            }
            if self.ring.pass_over_lost() {
                continue;
            }
            if self.ring.is_unconfirmed() && self.up.ready() == 0 {
                self.ring.confirm();
            }
            let listening = self.ring.listen();
            let pulled = W::pull(&mut self.up);
            drop(listening);
            match pulled {
                Some(signal) => {
                    let Ticket(ticket) = P::Tags::ticket(signal.ride());
                    if let Some(signal) = self.ring.sort(ticket, signal) {
                        return Some(signal);
                    }
                }
                None if stopping() => return None,
                None if self.ring.was_called() => {}
                None => {
                    self.over = true;
                    self.ring.leave();
                }
            }
        }
    }
}

impl<P: Pipe<Tags: Top<B>>, B> Serial for Load<P, B> {
    type Item = P::Item;
    type Marker = P::Marker;
    type Tags = <P::Tags as Top<B>>::Rest;

    pulls!();

    #[inline]
    fn pull_by<W: Way>(&mut self) -> Option<Given<Self>> {
        if self.failed.is_some() {
            return None;
        }
        loop {
            let signal = self.turn::<W>()?;
            self.ring.close_head();
            let loaded = P::Tags::take_off(signal);
            if loaded.is_some() {
                return loaded;
            }
        }
    }

    fn describe(&self, survey: &mut Survey) {
        survey.kind(Kind::Order);
        if let Some(order) = brand::<B>() {
            survey.option("o", order);
        }
    }

    fn upstream(&mut self) -> Option<&mut dyn Upstream> {
        Some(&mut self.up)
    }

    fn ready(&mut self) -> usize {
        if self.failed.is_some() {
            return 0;
        }
        // a gap that no other order needs is swallowed
        let gaps_stay = <<Self::Tags as Named>::Raw as Ride>::gap().is_some();
        self.ring.ready(|early| gaps_stay || !matches!(early, Envelope::Gap(..)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        if self.failed.is_some() {
            return (0, Some(0));
        }
        let (least, most) = self.up.size_hint();
        let early = self.ring.count(|early| matches!(early, Envelope::Item(..)));
        (least.saturating_add(early), most.and_then(|most| most.checked_add(early)))
    }

    fn start(&mut self, start: &mut Start) {
        self.up.start(start);
        if self.failed.is_none() {
            self.failed = self.ring.open(start, self.site).err();
        }
    }

    fn finish(&mut self) -> Result<(), Error> {
        self.failed.clone().map_or_else(|| self.up.finish(), Err)
    }
}

impl<P: Pipe + fmt::Debug, B> fmt::Debug for Load<P, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Load").field("ring", &self.ring).field("up", &self.up).finish_non_exhaustive()
    }
}
