//! `flatten()` and `flatten_eager()`: one puller at a time.
use crate::locked::{Given, Locked, Serial, pulls};
use crate::pipe::{Envelope, Pipe, Upstream, Way};
use crate::post::Post;
use std::collections::VecDeque;
use std::fmt;

/// The items of each item, one after the other. Markers pass between what stood before and after them.
///
/// ```
/// use tinypl::pipeline;
///
/// assert_eq!(pipeline! { [vec![1], vec![], vec![2, 3]] |> flatten() |> collect::<Vec<_>>() }, [1, 2, 3]);
/// ```
///
/// # Panics
/// A panic of an item's iterator ends the pipeline with an [`Error`](crate::Error) that names this stage and the item.
#[track_caller]
pub fn flatten<P: Pipe<Item: IntoIterator, Tags = ()>>(up: P) -> Locked<Flatten<P>> {
    Locked::new(Flatten { up, inner: None }, Post::here("flatten"))
}

/// [`flatten`], but an item's items are taken all at once, and given from memory: whatever the item holds on to (a file, a
/// lock) is let go before the first of them is passed on.
///
/// ```
/// use tinypl::pipeline;
///
/// assert_eq!(pipeline! { ["ab", "c"] |> map(|s| s.chars()) |> flatten_eager() |> collect::<String>() }, "abc");
/// ```
///
/// # Panics
/// A panic of an item's iterator ends the pipeline with an [`Error`](crate::Error) that names this stage and the item.
#[track_caller]
pub fn flatten_eager<P: Pipe<Item: IntoIterator, Tags = ()>>(up: P) -> Locked<FlattenEager<P>> {
    Locked::new(FlattenEager { up, inner: None, items: VecDeque::new() }, Post::here("flatten_eager"))
}

/// The stage of [`flatten`].
#[must_use = "a stage does nothing until it is pulled"]
pub struct Flatten<P: Pipe<Item: IntoIterator>> {
    up: P,
    inner: Option<<P::Item as IntoIterator>::IntoIter>,
}

impl<P: Pipe<Item: IntoIterator, Tags = ()>> Serial for Flatten<P> {
    type Item = <P::Item as IntoIterator>::Item;
    type Marker = P::Marker;
    type Tags = ();

    pulls!();

    #[inline]
    fn pull_by<W: Way>(&mut self) -> Option<Given<Self>> {
        loop {
            if let Some(x) = self.inner.as_mut().and_then(Iterator::next) {
                return Some(Envelope::Item(x, ()));
            }
            match W::pull(&mut self.up)? {
                Envelope::Item(x, ()) => self.inner = Some(x.into_iter()),
                Envelope::Mark(m, ()) => return Some(Envelope::Mark(m, ())),
            }
        }
    }

    fn upstream(&mut self) -> Option<&mut dyn Upstream> {
        Some(&mut self.up)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.inner.as_ref().map_or(0, |inner| inner.size_hint().0), None)
    }
}

impl<P: Pipe<Item: IntoIterator> + fmt::Debug> fmt::Debug for Flatten<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flatten").field("up", &self.up).finish_non_exhaustive()
    }
}

/// The stage of [`flatten_eager`].
#[must_use = "a stage does nothing until it is pulled"]
pub struct FlattenEager<P: Pipe<Item: IntoIterator>> {
    up: P,
    /// What is being taken: that may be given up half-way.
    inner: Option<<P::Item as IntoIterator>::IntoIter>,
    items: VecDeque<<P::Item as IntoIterator>::Item>,
}

impl<P: Pipe<Item: IntoIterator, Tags = ()>> Serial for FlattenEager<P> {
    type Item = <P::Item as IntoIterator>::Item;
    type Marker = P::Marker;
    type Tags = ();

    pulls!();

    #[inline]
    fn pull_by<W: Way>(&mut self) -> Option<Given<Self>> {
        loop {
            if let Some(inner) = &mut self.inner {
                self.items.extend(inner);
                self.inner = None;
            }
            if let Some(x) = self.items.pop_front() {
                return Some(Envelope::Item(x, ()));
            }
            match W::pull(&mut self.up)? {
                Envelope::Item(x, ()) => self.inner = Some(x.into_iter()),
                Envelope::Mark(m, ()) => return Some(Envelope::Mark(m, ())),
            }
        }
    }

    fn upstream(&mut self) -> Option<&mut dyn Upstream> {
        Some(&mut self.up)
    }

    fn ready(&mut self) -> usize {
        if self.inner.is_none() { self.items.len() } else { 0 }
    }
}

impl<P: Pipe<Item: IntoIterator> + fmt::Debug> fmt::Debug for FlattenEager<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FlattenEager").field("up", &self.up).field("items", &self.items.len()).finish()
    }
}
