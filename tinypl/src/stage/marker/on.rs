//! `marker::on(f, m)`: run by whoever pulls.
use crate::error::{At, Site};
use crate::func::{Action, Exclusive};
use crate::marker::{Has, Place};
use crate::pipe::{Below, Envelope, Pipe, Pulled, Ride, Stepped, through};
use std::fmt;
use std::marker::PhantomData;

/// Calls `f()` when the marker `m` passes (with [`Any`](crate::marker::Any), in `pipeline!` without `m`, when any does).
///
/// With [`consume(true)`](On::consume) the marker ends there; [`consumed()`](On::consumed) says the same to the compiler:
/// below it the stream has no such marker. In `pipeline!` `consume = true` is the latter.
///
/// ```
/// use tinypl::pipeline;
///
/// let mut epochs = 0;
/// let pairs: Vec<_> = pipeline! {
///     range(4) |> m @ marker::insert_periodic(2) |> marker::on(|| epochs += 1, m, consume = true) |> partition(3) |> collect()
/// };
/// assert_eq!((pairs, epochs), (vec![vec![0, 1, 2], vec![3]], 2));
/// ```
///
/// # Panics
/// A panic of `f` ends the pipeline with an [`Error`](crate::Error) that names this stage.
#[track_caller]
pub fn on<P: Pipe<Marker: Has<M, I>>, F: Fn(), M, I>(up: P, f: F, _: M) -> On<P, F, I> {
    On { up, f, consume: false, site: Site::here("marker::on"), place: PhantomData }
}

/// [`on`] for a function that changes what it captured: one thread at a time pulls it.
#[track_caller]
pub fn on_mut<P: Pipe<Marker: Has<M, I>>, F: FnMut(), M, I>(up: P, f: F, _: M) -> On<P, Exclusive<F>, I> {
    On { up, f: Exclusive::new(f), consume: false, site: Site::here("marker::on"), place: PhantomData }
}

/// The stage of [`on`]. `I` says where in the stream's markers to look.
#[must_use = "a stage does nothing until it is pulled"]
pub struct On<P, F, I> {
    pub(crate) up: P,
    pub(crate) f: F,
    pub(crate) consume: bool,
    pub(crate) site: Site,
    pub(crate) place: PhantomData<fn() -> I>,
}

impl<P, F, I> On<P, F, I> {
    /// Whether the marker ends here.
    pub fn consume(self, consume: bool) -> Self {
        Self { consume, ..self }
    }

    /// The marker ends here, and is taken out of the stream's type.
    pub fn consumed(self) -> OnConsumed<P, F, I> {
        OnConsumed { up: self.up, f: self.f, site: self.site, place: PhantomData }
    }
}

impl<P: Pipe, F: Action, I: Place<P::Marker>> Pipe for On<P, F, I> {
    type Item = P::Item;
    through!();

    #[inline]
    fn pull(&mut self) -> Pulled<Self> {
        let Self { up, f, consume, site, .. } = self;
        loop {
            match up.pull()? {
                Envelope::Mark(m, g) if I::is(&m) => {
                    let at = At::new(site, None);
                    f.act_mut();
                    at.left();
                    let left = if *consume { Envelope::gap(g) } else { Some(Envelope::Mark(m, g)) };
                    if left.is_some() {
                        return left;
                    }
                }
                signal => return Some(signal),
            }
        }
    }

    #[inline]
    fn step(&self, local: &mut P::Local, signal: Below<Self>, number: u64) -> Stepped<Self> {
        Ok(match self.up.step(local, signal, number)? {
            Some(Envelope::Mark(m, g)) if I::is(&m) => {
                let at = At::new(&self.site, None);
                self.f.act();
                at.left();
                if self.consume { Envelope::gap(g) } else { Some(Envelope::Mark(m, g)) }
            }
            signal => signal,
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.up.size_hint()
    }
}

impl<P: fmt::Debug, F, I> fmt::Debug for On<P, F, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("On").field("site", &self.site).field("up", &self.up).finish()
    }
}

/// The stage of [`on`] that takes the marker out of the stream's type.
#[must_use = "a stage does nothing until it is pulled"]
pub struct OnConsumed<P, F, I> {
    pub(crate) up: P,
    pub(crate) f: F,
    pub(crate) site: Site,
    pub(crate) place: PhantomData<fn() -> I>,
}

/// The signal without the marker at place `I`; `act` is called if it was that.
#[inline(always)]
fn taken_out<T, L: crate::Named, G: Ride, I: Place<L>>(
    signal: Envelope<T, L::Raw, G>,
    site: &Site,
    act: impl FnOnce(),
) -> Option<Envelope<T, <I::Rest as crate::Named>::Raw, G>> {
    match signal {
        Envelope::Item(x, g) => Some(Envelope::Item(x, g)),
        Envelope::Gap(gap, g) => Some(Envelope::Gap(gap, g)),
        Envelope::Mark(m, g) => {
            if I::is(&m) {
                let at = At::new(site, None);
                act();
                at.left();
            }
            match I::without(m) {
                Some(m) => Some(Envelope::Mark(m, g)),
                None => Envelope::gap(g),
            }
        }
    }
}

impl<P: Pipe, F: Action, I: Place<P::Marker>> Pipe for OnConsumed<P, F, I> {
    type Item = P::Item;
    type Marker = I::Rest;
    type Tags = P::Tags;
    type Local = P::Local;
    through!(bottom);
    through!(announce);
    through!(finish);

    #[inline]
    fn pull(&mut self) -> Pulled<Self> {
        let Self { up, f, site, .. } = self;
        loop {
            let signal = up.pull()?;
            let left = taken_out::<_, P::Marker, _, I>(signal, site, || f.act_mut());
            if left.is_some() {
                return left;
            }
        }
    }

    #[inline]
    fn step(&self, local: &mut P::Local, signal: Below<Self>, number: u64) -> Stepped<Self> {
        let signal = self.up.step(local, signal, number)?;
        Ok(signal.and_then(|signal| taken_out::<_, P::Marker, _, I>(signal, &self.site, || self.f.act())))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.up.size_hint()
    }
}

impl<P: fmt::Debug, F, I> fmt::Debug for OnConsumed<P, F, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnConsumed").field("site", &self.site).field("up", &self.up).finish()
    }
}
