//! `marker::on(f, m)`: run by whoever pulls.
use crate::func::{Action, Exclusive};
use crate::graph::Kind;
use crate::marker::{Has, Place};
use crate::monitor::Survey;
use crate::pipe::{Below, Envelope, Pipe, Pulled, Ride, Stepped, Watched, Way, through};
use crate::post::{Call, Post};
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
    On { up, f, consume: false, post: Post::here("marker::on"), place: PhantomData }
}

/// [`on`] for a function that changes what it captured: one thread at a time pulls it.
///
/// ```
/// use tinypl::{Pipeline, marker, source};
///
/// let mut pairs = 0;
/// let marked = marker::insert_periodic(source(0..6)).n(2);
/// let m = marked.handle();
/// assert_eq!(Pipeline::new(marker::on_mut(marked, || pairs += 1, m)).count(), 6);
/// assert_eq!(pairs, 3);
/// ```
#[track_caller]
pub fn on_mut<P: Pipe<Marker: Has<M, I>>, F: FnMut(), M, I>(up: P, f: F, _: M) -> On<P, Exclusive<F>, I> {
    On { up, f: Exclusive::new(f), consume: false, post: Post::here("marker::on"), place: PhantomData }
}

/// The stage of [`on`]. `I` says where in the stream's markers to look.
#[must_use = "a stage does nothing until it is pulled"]
pub struct On<P, F, I> {
    pub(crate) up: P,
    pub(crate) f: F,
    pub(crate) consume: bool,
    pub(crate) post: Post,
    pub(crate) place: PhantomData<fn() -> I>,
}

impl<P, F, I> On<P, F, I> {
    /// Whether the marker ends here.
    pub fn consume(self, consume: bool) -> Self {
        Self { consume, ..self }
    }

    /// The marker ends here, and is taken out of the stream's type.
    pub fn consumed(self) -> OnConsumed<P, F, I> {
        OnConsumed { up: self.up, f: self.f, post: self.post, place: PhantomData }
    }
}

impl<P: Pipe, F: Action, I: Place<P::Marker>> Pipe for On<P, F, I> {
    type Item = P::Item;
    through!();

    #[inline]
    fn pull_by<W: Way>(&mut self) -> Pulled<Self> {
        let Self { up, f, consume, post, .. } = self;
        loop {
            match W::pull(up)? {
                Envelope::Mark(m, g) if I::is(&m) => {
                    let at = Call::by::<W>(post, None).begin();
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
                let at = Call::by::<Watched>(&self.post, None).begin();
                self.f.act();
                at.left();
                if self.consume { Envelope::gap(g) } else { Some(Envelope::Mark(m, g)) }
            }
            signal => signal,
        })
    }

    fn survey(&self, survey: &mut Survey) {
        self.up.survey(survey);
        survey.stage(&self.post).kind(Kind::Marker).function::<F>().marker::<P::Marker, I>();
        if self.consume {
            survey.option("consume", true);
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.up.size_hint()
    }
}

impl<P: fmt::Debug, F, I> fmt::Debug for On<P, F, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("On").field("site", &self.post).field("up", &self.up).finish()
    }
}

/// The stage of [`on`] that takes the marker out of the stream's type.
#[must_use = "a stage does nothing until it is pulled"]
pub struct OnConsumed<P, F, I> {
    pub(crate) up: P,
    pub(crate) f: F,
    pub(crate) post: Post,
    pub(crate) place: PhantomData<fn() -> I>,
}

/// The signal without the marker at place `I`; `act` is called if it was that.
#[inline(always)]
fn taken_out<T, L: crate::Named, G: Ride, I: Place<L>>(
    signal: Envelope<T, L::Raw, G>,
    post: &Post,
    act: impl FnOnce(),
) -> Option<Envelope<T, <I::Rest as crate::Named>::Raw, G>> {
    match signal {
        Envelope::Item(x, g) => Some(Envelope::Item(x, g)),
        Envelope::Gap(gap, g) => Some(Envelope::Gap(gap, g)),
        Envelope::Mark(m, g) => {
            if I::is(&m) {
                let at = Call::by::<Watched>(post, None).begin();
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
    fn pull_by<W: Way>(&mut self) -> Pulled<Self> {
        let Self { up, f, post, .. } = self;
        loop {
            let signal = W::pull(up)?;
            let left = taken_out::<_, P::Marker, _, I>(signal, post, || f.act_mut());
            if left.is_some() {
                return left;
            }
        }
    }

    #[inline]
    fn step(&self, local: &mut P::Local, signal: Below<Self>, number: u64) -> Stepped<Self> {
        let signal = self.up.step(local, signal, number)?;
        Ok(signal.and_then(|signal| taken_out::<_, P::Marker, _, I>(signal, &self.post, || self.f.act())))
    }

    fn survey(&self, survey: &mut Survey) {
        self.up.survey(survey);
        let here = survey.stage(&self.post).kind(Kind::Marker).function::<F>().marker::<P::Marker, I>();
        here.option("consume", true).carries::<Self>();
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.up.size_hint()
    }
}

impl<P: fmt::Debug, F, I> fmt::Debug for OnConsumed<P, F, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnConsumed").field("site", &self.post).field("up", &self.up).finish()
    }
}
