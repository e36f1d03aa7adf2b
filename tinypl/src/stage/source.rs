//! Sources: iterables and ranges.
use crate::locked::{Given, Locked, Serial, pulls};
use crate::monitor::Survey;
use crate::pipe::{Envelope, Upstream, Way};
use crate::post::Post;
use std::convert::Infallible;
use std::fmt;
use std::ops::{ControlFlow, Range};

/// A stream of anything that can be iterated. In `pipeline!` the iterable stands there as it is.
///
/// ```
/// use tinypl::{Pipeline, map, pipeline, source};
///
/// let words = Pipeline::new(map(source("a b".split(' ')), str::len));
/// assert_eq!(words.collect::<Vec<_>>(), [1, 1]);
/// assert_eq!(pipeline! { "a b".split(' ') |> map(str::len) |> count() }, 2);
/// ```
///
/// # Panics
/// A panic of the iterator ends the pipeline with an [`Error`](crate::Error) that names this stage and the item.
#[track_caller]
pub fn source<I: IntoIterator>(items: I) -> Locked<Iter<I::IntoIter>> {
    Locked::new(Iter { iter: items.into_iter() }, Post::here("source"))
}

/// The numbers from `from` to `to`, without `to`; [`step`](Locked::step) sets another step than 1.
///
/// In `pipeline!` it is `range(n)`, `range(a, b)` or `range(a, b, step)`.
///
/// ```
/// use tinypl::{Pipeline, pipeline, range};
///
/// assert_eq!(pipeline! { range(1, 4) |> collect::<Vec<_>>() }, [1, 2, 3]);
/// assert_eq!(pipeline! { range(9, 0, -4) |> collect::<Vec<_>>() }, [9, 5, 1]);
/// // by hand
/// assert_eq!(Pipeline::new(range(0, 10).step(3)).collect::<Vec<_>>(), [0, 3, 6, 9]);
/// ```
#[track_caller]
pub fn range<T: Number>(from: T, to: T) -> Locked<All<Range<T>>>
where
    Range<T>: Iterator<Item = T>,
{
    Locked::new(All::new(from..to), Post::here("range"))
}

impl<T: Number> Locked<All<Range<T>>>
where
    Range<T>: Iterator<Item = T>,
{
    /// Every `step`th number; downwards where it is negative.
    ///
    /// # Panics
    /// If `step` is 0.
    #[track_caller]
    pub fn step(self, step: T) -> Locked<All<Steps<T>>> {
        assert!(step != T::ZERO, "the step of a range must not be 0");
        self.with(|All { iter: Range { start, end }, .. }| {
            All::new(Steps { next: start, left: T::steps(start, end, step), step })
        })
    }
}

/// The source of [`source`].
#[derive(Clone)]
pub struct Iter<I> {
    iter: I,
}

#[cfg(feature = "dataloader")]
impl<I> Iter<I> {
    pub(crate) fn new(iter: I) -> Self {
        Self { iter }
    }
}

impl<I: Iterator> Serial for Iter<I> {
    type Item = I::Item;
    type Marker = Infallible;
    type Tags = ();
    const INERT: bool = true;

    pulls!();

    #[inline]
    fn pull_by<W: Way>(&mut self) -> Option<Given<Self>> {
        self.iter.next().map(|x| Envelope::Item(x, ()))
    }

    fn upstream(&mut self) -> Option<&mut dyn Upstream> {
        None
    }

    #[inline]
    fn try_fold<B, C>(&mut self, init: B, mut f: impl FnMut(B, Given<Self>) -> ControlFlow<C, B>) -> ControlFlow<C, B> {
        self.iter.try_fold(init, |acc, x| f(acc, Envelope::Item(x, ())))
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.iter.size_hint()
    }
}

impl<I> fmt::Debug for Iter<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Iter").finish_non_exhaustive()
    }
}

/// A source that is all there: it never waits, and knows how many items are left.
#[derive(Clone)]
pub struct All<I> {
    iter: I,
    total: usize,
}

impl<I: Iterator> All<I> {
    #[inline]
    pub(crate) fn new(iter: I) -> Self {
        let total = iter.size_hint().0;
        Self { iter, total }
    }
}

impl<I: Iterator> Serial for All<I> {
    type Item = I::Item;
    type Marker = Infallible;
    type Tags = ();
    const INERT: bool = true;
    const COUNTS: bool = true;

    pulls!();

    #[inline]
    fn pull_by<W: Way>(&mut self) -> Option<Given<Self>> {
        self.iter.next().map(|x| Envelope::Item(x, ()))
    }

    fn describe(&self, survey: &mut Survey) {
        survey.option("len", self.total);
    }

    fn upstream(&mut self) -> Option<&mut dyn Upstream> {
        None
    }

    #[inline]
    fn try_fold<B, C>(&mut self, init: B, mut f: impl FnMut(B, Given<Self>) -> ControlFlow<C, B>) -> ControlFlow<C, B> {
        self.iter.try_fold(init, |acc, x| f(acc, Envelope::Item(x, ())))
    }

    #[inline]
    fn items(&self) -> u64 {
        (self.total - self.iter.size_hint().0) as u64
    }

    #[inline]
    fn ready(&mut self) -> usize {
        self.iter.size_hint().0
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.iter.size_hint()
    }
}

impl<I> fmt::Debug for All<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("All").field("total", &self.total).finish_non_exhaustive()
    }
}

/// Iterables of exact length that are all there: to take from them never waits, so cheap items may be taken several at a
/// time. (That an iterator knows its length is no such promise: it may wait for each item.)
pub trait Sure: IntoIterator {}

impl<T> Sure for Vec<T> {}
impl<T> Sure for &Vec<T> {}
impl<T> Sure for &[T] {}
impl<T> Sure for std::collections::VecDeque<T> {}
impl<T> Sure for &std::collections::VecDeque<T> {}
impl<T, const N: usize> Sure for [T; N] {}
impl<T, const N: usize> Sure for &[T; N] {}
impl<T> Sure for Range<T> where Self: Iterator {}
impl<T> Sure for std::ops::RangeInclusive<T> where Self: Iterator {}

/// Every nth number of a range.
#[derive(Clone, Debug)]
pub struct Steps<T> {
    next: T,
    left: usize,
    step: T,
}

impl<T: Number> Iterator for Steps<T> {
    type Item = T;

    #[inline]
    fn next(&mut self) -> Option<T> {
        self.left = self.left.checked_sub(1)?;
        let x = self.next;
        self.next = x.wrapping_add(self.step);
        Some(x)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

/// The numbers that a range is made of.
pub trait Number: Copy + PartialOrd {
    #[doc(hidden)]
    const ZERO: Self;
    #[doc(hidden)]
    fn wrapping_add(self, other: Self) -> Self;
    /// How many numbers there are from `from` to `to`, without `to`.
    #[doc(hidden)]
    fn steps(from: Self, to: Self, step: Self) -> usize;
}

macro_rules! numbers {
    ($($t:ident)*) => {$(
        #[diagnostic::do_not_recommend]
        impl Number for $t {
            const ZERO: Self = 0;

            #[inline]
            fn wrapping_add(self, other: Self) -> Self {
                $t::wrapping_add(self, other)
            }

            fn steps(from: Self, to: Self, step: Self) -> usize {
                let up = step > 0;
                if if up { from >= to } else { from <= to } {
                    return 0;
                }
                let (distance, step) = (to.abs_diff(from), step.abs_diff(0));
                usize::try_from(distance.div_ceil(step)).unwrap_or(usize::MAX)
            }
        }
    )*};
}
numbers!(i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize);
