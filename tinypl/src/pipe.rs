//! The stream: what travels ([`Envelope`]), and what gives it ([`Pipe`]).
//!
//! One trait for one puller and for many. A chain that one thread pulls runs by [`pull`](Pipe::pull), as an iterator
//! does. Under a queue several threads share the chain: each takes a signal from the nearest stage that one at a time may
//! pull (the [`Bottom`](Pipe::Bottom)) and takes it through the stages below by [`step`](Pipe::step), on its own.
//! "May several threads pull this?" is the auto trait `Sync`: it alone shows through an `impl Pipe`.
use crate::Error;
use crate::error::{handed_on, note_number};
use crate::locked::{Locked, Serial};
use crate::monitor::{Survey, sampling};
use crate::pool::Flow;
use crate::stage::order::Window;
use crate::sync::Arc;
use std::convert::Infallible;
use std::fmt;
use std::marker::PhantomData;
use std::ops::ControlFlow;

/// One signal of a stream: an item, a marker, or the gap that a discarded item leaves inside an order.
///
/// `M` and `G` are what markers and orders there are; with none of them it is as large as the item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Envelope<T, M = Infallible, G: Ride = ()> {
    /// An item, and what rides along.
    Item(T, G),
    /// A marker.
    Mark(M, G),
    /// The place of an item that was discarded: whoever restores the order doesn't wait for it.
    Gap(G::Gap, G),
}

impl<T, M, G: Ride> Envelope<T, M, G> {
    /// The same signal with another item.
    #[inline(always)]
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Envelope<U, M, G> {
        match self {
            Self::Item(x, g) => Envelope::Item(f(x), g),
            Self::Mark(m, g) => Envelope::Mark(m, g),
            Self::Gap(gap, g) => Envelope::Gap(gap, g),
        }
    }

    /// What rides along.
    pub(crate) fn ride(&self) -> &G {
        let (Self::Item(_, g) | Self::Mark(_, g) | Self::Gap(_, g)) = self;
        g
    }

    /// What a stage that discards a signal gives on: its gap where an order needs it, else nothing.
    #[inline(always)]
    pub fn gap(ride: G) -> Option<Self> {
        G::gap().map(|gap| Self::Gap(gap, ride))
    }
}

/// What rides along with each signal: `()`, or the tickets of the orders that are open.
///
/// It is implemented by the crate alone.
pub trait Ride: Copy + Send + 'static {
    /// `Infallible` where no order is open: then no gap can occur, and no code deals with one.
    type Gap: Send + 'static;
    /// A gap, if gaps are kept.
    #[doc(hidden)]
    fn gap() -> Option<Self::Gap>;
    /// The signal leaves the stream before its orders were loaded.
    #[doc(hidden)]
    fn leave(&self, windows: &[Arc<Window>]);
    /// Whether it is still under way in any of its orders.
    #[doc(hidden)]
    fn is_open(&self, windows: &[Arc<Window>]) -> bool;
}

impl Ride for () {
    type Gap = Infallible;

    #[inline(always)]
    fn gap() -> Option<Infallible> {
        None
    }

    #[inline(always)]
    fn leave(&self, _: &[Arc<Window>]) {}

    fn is_open(&self, _: &[Arc<Window>]) -> bool {
        false
    }
}

/// A name in the types for something plain in the stream.
///
/// `Marker` and `Tags` of a [`Pipe`] say at compile time which markers and orders pass: each `m @` and `o @` is a type of
/// its own. What travels is `Raw`, without those names; else everything that stores a signal would be compiled anew
/// for each of them.
pub trait Named {
    /// What travels.
    type Raw: Send + 'static;

    /// What they are called, the one that came last first.
    #[doc(hidden)]
    fn names(_: &mut Vec<String>) {}
}

/// [`Named`] for the orders: what travels is a [`Ride`].
pub trait Tagged: Named<Raw: Ride> {}

impl<G: Named<Raw: Ride>> Tagged for G {}

impl Named for Infallible {
    type Raw = Infallible;
}

impl Named for () {
    type Raw = ();
}

/// What travels, without a name: for what stores signals.
#[derive(Debug)]
pub struct Unnamed<R>(PhantomData<fn() -> R>);

impl<R: Send + 'static> Named for Unnamed<R> {
    type Raw = R;
}

/// A signal of the stream `P`.
pub type Signal<P> =
    Envelope<<P as Pipe>::Item, <<P as Pipe>::Marker as Named>::Raw, <<P as Pipe>::Tags as Named>::Raw>;

/// What a pull gives: `None` at the end, or when the thread that pulls is to stop.
pub type Pulled<P> = Option<Signal<P>>;

/// What one of several pullers gets from a step: `None` for a signal that was discarded, an error that ends the stream.
pub(crate) type Stepped<P> = Result<Option<Signal<P>>, Error>;

/// The signals that the bottom of `P` gives.
pub(crate) type Below<P> = crate::locked::Given<<P as Pipe>::Bottom>;

/// A stream: a source, or a stage upon another stream.
///
/// In signatures it stands for "any stream with these items". An own stage made of built-in ones is a function:
///
/// ```
/// use tinypl::{Like, Pipe, map, pipeline};
///
/// fn double<P: Pipe<Item = i32>>(up: P) -> impl Like<P, Item = i32> {
///     map(up, |x| 2 * x)
/// }
/// let doubled: Vec<_> = pipeline! { range(3) |> double() |> collect() };
/// assert_eq!(doubled, [0, 2, 4]);
/// ```
///
/// An own stage with state implements [`Serial`] instead, which is shorter.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a stage or source", label = "not a stream")]
pub trait Pipe {
    /// What the stream is about.
    type Item;
    /// The markers that pass: [`Infallible`] where there are none.
    type Marker: Named;
    /// The orders that are saved and not yet loaded: `()` where there are none.
    type Tags: Tagged;
    /// What one of several pullers keeps between its steps; made in its own thread.
    type Local: Default;
    /// The nearest stage, upwards, that one thread at a time pulls.
    type Bottom: Serial;

    /// Whether nothing in it starts, ends with an error, or opens an order: then nobody asks, and no code is made for it.
    #[doc(hidden)]
    const INERT: bool = false;

    /// Whether it has something to say before each signal that is pulled.
    #[doc(hidden)]
    const ANNOUNCES: bool = false;

    /// The next signal, for the one puller of this stream.
    #[inline]
    fn pull(&mut self) -> Pulled<Self> {
        // stages of other crates call this; those of this one know who looks
        let watched = sampling::is_watched();
        handed_on(|| if watched { self.pull_by::<Watched>() } else { self.pull_by::<Unwatched>() })
    }

    /// The same, for whoever may be watched at it.
    #[doc(hidden)]
    fn pull_by<W: Way>(&mut self) -> Pulled<Self>;

    /// Takes a signal of the bottom, whose number is `number`, through the stages down to this one.
    ///
    /// Several threads call it at once; it is only called where `Self: Sync`.
    ///
    /// # Errors
    /// When the function of a stage gives an `Err`.
    #[doc(hidden)]
    fn step(&self, local: &mut Self::Local, signal: Below<Self>, number: u64) -> Stepped<Self>;

    #[doc(hidden)]
    fn bottom(&self) -> &Locked<Self::Bottom>;

    #[doc(hidden)]
    fn bottom_mut(&mut self) -> &mut Locked<Self::Bottom>;

    /// Pulls until `f` breaks off, or until the end; quicker than a loop, as [`Iterator::try_fold`] is.
    #[inline]
    fn try_fold<B, C>(&mut self, init: B, mut f: impl FnMut(B, Signal<Self>) -> ControlFlow<C, B>) -> ControlFlow<C, B>
    where
        Self: Sized,
    {
        let numbering = Numbering(self);
        let mut acc = init;
        while let Some(signal) = numbering.0.pull_by::<Unwatched>() {
            match f(acc, signal) {
                ControlFlow::Continue(next) => acc = next,
                broken => {
                    std::mem::forget(numbering);
                    return broken;
                }
            }
        }
        std::mem::forget(numbering);
        ControlFlow::Continue(acc)
    }

    /// How many pulls are sure not to wait for anything: 0 where that is unknown.
    #[inline]
    fn ready(&mut self) -> usize {
        0
    }

    /// How many items are left: at least, and at most if that is known.
    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, None)
    }

    /// Said before a signal is pulled, to whom it may interest.
    #[doc(hidden)]
    #[inline]
    fn announce(&self) {}

    /// Shows its stages, the source first.
    #[doc(hidden)]
    fn survey(&self, survey: &mut Survey);

    /// The pipeline is complete, and its options are set: threads may start. May be called again, when another block goes on with it.
    #[doc(hidden)]
    fn start(&mut self, start: &mut Start);

    /// After the end: the error that ended it, if it was one.
    ///
    /// # Errors
    /// The first error of this stream.
    #[doc(hidden)]
    fn finish(&mut self) -> Result<(), Error>;

    /// The number of the item last pulled from the bottom.
    #[doc(hidden)]
    #[inline]
    fn number(&mut self) -> u64 {
        self.bottom_mut().number()
    }
}

/// How a stream is pulled: by somebody whose pipeline's figures may be asked for, or not. As a type, so that the code of who
/// is not knows nothing of it.
#[doc(hidden)]
pub trait Way {
    const WATCHED: bool;

    #[inline(always)]
    fn pull<P: Pipe>(up: &mut P) -> Pulled<P>
    where
        Self: Sized,
    {
        up.pull_by::<Self>()
    }
}

/// Nobody looks.
#[derive(Debug)]
pub(crate) struct Unwatched;
/// Somebody may look: the stages are asked whether one does.
#[derive(Debug)]
pub(crate) struct Watched;

impl Way for Unwatched {
    const WATCHED: bool = false;
}

impl Way for Watched {
    const WATCHED: bool = true;
}

/// Tells a panic of a stage below, which is on the stack above a fold, the number of its item.
struct Numbering<'a, P: Pipe>(&'a mut P);

impl<P: Pipe> Drop for Numbering<'_, P> {
    #[cold]
    fn drop(&mut self) {
        note_number(self.0.number());
    }
}

/// What a stream tells those below when it starts.
#[doc(hidden)]
#[derive(Clone, Debug, Default)]
pub struct Start {
    /// The orders that are open at its end, the outermost first.
    pub(crate) windows: Vec<Arc<Window>>,
    /// The queues in it that don't wait for ever when they are stopped.
    pub(crate) flows: Vec<Arc<Flow>>,
}

impl Start {
    pub(crate) fn is_empty(&self) -> bool {
        self.windows.is_empty() && self.flows.is_empty()
    }

    /// Says again what was said before.
    pub(crate) fn repeat(&mut self, other: &Self) {
        self.windows.extend(other.windows.iter().cloned());
        self.flows.extend(other.flows.iter().cloned());
    }
}

/// `P`'s markers and orders pass through.
pub trait Like<P: Pipe>: Pipe<Marker = P::Marker, Tags = P::Tags> {}

impl<P: Pipe, Q: Pipe<Marker = P::Marker, Tags = P::Tags>> Like<P> for Q {}

/// A stream with neither markers nor orders: `fn numbers() -> Pipeline<impl Plain<Item = i32>>`.
///
/// With `impl Pipe<Item = i32>` alone nothing is known of its markers, and a stage that asks, as `partition`, refuses it.
pub trait Plain: Pipe<Marker = Infallible, Tags = ()> {}

impl<P: Pipe<Marker = Infallible, Tags = ()>> Plain for P {}

/// A stream seen from below by a stage that only passes on when it starts and how it ended.
pub trait Upstream {
    #[doc(hidden)]
    fn begin(&mut self, start: &mut Start);
    #[doc(hidden)]
    fn end(&mut self) -> Result<(), Error>;
    #[doc(hidden)]
    fn show(&self, survey: &mut Survey);
}

impl<P: Pipe> Upstream for P {
    fn begin(&mut self, start: &mut Start) {
        self.start(start);
    }

    fn end(&mut self) -> Result<(), Error> {
        self.finish()
    }

    fn show(&self, survey: &mut Survey) {
        self.survey(survey);
    }
}

impl fmt::Debug for dyn Upstream + '_ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Upstream")
    }
}

/// The parts of [`Pipe`] that a stage has from a [`Locked`] one inside it, its field `$field`.
macro_rules! wraps {
    ($field:ident) => {
        #[inline]
        fn pull_by<W: crate::pipe::Way>(&mut self) -> crate::Pulled<Self> {
            self.$field.pull_by::<W>()
        }

        #[inline(always)]
        fn step(&self, (): &mut (), signal: crate::Given<Self::Bottom>, _: u64) -> crate::pipe::Stepped<Self> {
            Ok(Some(signal))
        }

        #[inline]
        fn bottom(&self) -> &crate::Locked<Self::Bottom> {
            &self.$field
        }

        #[inline]
        fn bottom_mut(&mut self) -> &mut crate::Locked<Self::Bottom> {
            &mut self.$field
        }

        #[inline]
        fn try_fold<Acc, Break>(
            &mut self,
            init: Acc,
            f: impl FnMut(Acc, crate::Signal<Self>) -> std::ops::ControlFlow<Break, Acc>,
        ) -> std::ops::ControlFlow<Break, Acc> {
            self.$field.try_fold(init, f)
        }

        #[inline]
        fn ready(&mut self) -> usize {
            self.$field.ready()
        }

        fn size_hint(&self) -> (usize, Option<usize>) {
            self.$field.size_hint()
        }

        fn finish(&mut self) -> Result<(), crate::Error> {
            self.$field.finish()
        }
    };
}
pub(crate) use wraps;

/// The parts of [`Pipe`] that a stage through which several threads reach just hands on. Its upstream is `self.up`.
macro_rules! through {
    () => {
        type Marker = P::Marker;
        type Tags = P::Tags;
        type Local = P::Local;
        const INERT: bool = P::INERT;
        crate::pipe::through!(bottom);
        crate::pipe::through!(announce);
        crate::pipe::through!(finish);
    };
    (bottom) => {
        crate::pipe::through!(place);

        fn start(&mut self, start: &mut crate::pipe::Start) {
            self.up.start(start);
        }
    };
    (place) => {
        type Bottom = P::Bottom;

        #[inline]
        fn bottom(&self) -> &crate::Locked<P::Bottom> {
            self.up.bottom()
        }

        #[inline]
        fn bottom_mut(&mut self) -> &mut crate::Locked<P::Bottom> {
            self.up.bottom_mut()
        }
    };
    (finish) => {
        fn finish(&mut self) -> Result<(), crate::Error> {
            self.up.finish()
        }
    };
    (announce) => {
        const ANNOUNCES: bool = P::ANNOUNCES;

        #[inline]
        fn announce(&self) {
            self.up.announce();
        }
    };
}
pub(crate) use through;
