//! A data loader at work.
use super::loader::Marked;
use crate::marker::Mark;
use crate::monitor::Survey;
use crate::pipe::{Below, Envelope, Pipe, Pulled, Stepped, Way, through};
use std::fmt;
use std::marker::PhantomData;

/// The stream of a data loader: its batches, and, where it was asked for, a marker at the end of each epoch.
#[must_use = "a data loader does nothing until it is pulled"]
pub struct Loaded<P, E> {
    up: P,
    length: Length,
    /// Whether no batch is left out but by a failure.
    keeps_all: bool,
    marking: PhantomData<fn() -> E>,
}

/// How many batches are to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    Left(usize),
    Endless,
    Unknown,
}

impl<P, E> Loaded<P, E> {
    pub(super) fn new(up: P, length: Length, keeps_all: bool) -> Self {
        Self { up, length, keeps_all, marking: PhantomData }
    }
}

impl<P, B> Loaded<P, Marked<B>> {
    /// The marker at the end of each epoch.
    pub fn handle(&self) -> Mark<B> {
        Mark::new()
    }
}

impl<P: Pipe, E> Pipe for Loaded<P, E> {
    type Item = P::Item;
    through!();

    #[inline]
    fn pull_by<W: Way>(&mut self) -> Pulled<Self> {
        let signal = W::pull(&mut self.up);
        if let (Some(Envelope::Item(..)), Length::Left(left)) = (&signal, &mut self.length) {
            *left = left.saturating_sub(1);
        }
        signal
    }

    #[inline]
    fn step(&self, local: &mut P::Local, signal: Below<Self>, number: u64) -> Stepped<Self> {
        self.up.step(local, signal, number)
    }

    fn survey(&self, survey: &mut Survey) {
        self.up.survey(survey);
    }

    #[inline]
    fn ready(&mut self) -> usize {
        self.up.ready()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let (least, most) = match self.length {
            Length::Left(left) => (left, Some(left)),
            Length::Endless => (usize::MAX, None),
            Length::Unknown => self.up.size_hint(),
        };
        (if self.keeps_all { least } else { 0 }, most)
    }
}

impl<P: fmt::Debug, E> fmt::Debug for Loaded<P, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loaded").field("length", &self.length).field("up", &self.up).finish_non_exhaustive()
    }
}
