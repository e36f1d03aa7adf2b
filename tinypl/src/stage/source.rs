//! Sources: iterables and ranges.
use crate::error::Site;
use crate::locked::{Given, Locked, Serial};
use crate::pipe::{Envelope, Upstream};
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
#[track_caller]
pub fn source<I: IntoIterator>(items: I) -> Locked<Iter<I::IntoIter>> {
    Locked::new(
        Iter {
            iter: items.into_iter(),
            sure: false,
        },
        Site::here("source"),
    )
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
pub fn range<T: Number>(from: T, to: T) -> Locked<Iter<Range<T>>>
where
    Range<T>: Iterator<Item = T>,
{
    Locked::new(
        Iter {
            iter: from..to,
            sure: true,
        },
        Site::here("range"),
    )
}

impl<T: Number> Locked<Iter<Range<T>>>
where
    Range<T>: Iterator<Item = T>,
{
    /// Every `step`th number; downwards where it is negative.
    ///
    /// # Panics
    /// If `step` is 0.
    #[track_caller]
    pub fn step(self, step: T) -> Locked<Iter<Steps<T>>> {
        assert!(step != T::ZERO, "the step of a range must not be 0");
        self.with(|Iter { iter, .. }| {
            let next = (if step > T::ZERO {
                iter.start < iter.end
            } else {
                iter.start > iter.end
            })
            .then_some(iter.start);
            Iter {
                iter: Steps {
                    next,
                    end: iter.end,
                    step,
                },
                sure: true,
            }
        })
    }
}

/// The source of [`source`] and [`range`].
#[derive(Clone)]
pub struct Iter<I> {
    pub(crate) iter: I,
    /// Whether `next` never waits for anything.
    pub(crate) sure: bool,
}

impl<I: Iterator> Serial for Iter<I> {
    type Item = I::Item;
    type Marker = Infallible;
    type Tags = ();

    #[inline]
    fn pull(&mut self) -> Option<Given<Self>> {
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
    fn ready(&mut self) -> usize {
        // how many items there are is no promise that none of them is waited for
        if self.sure { self.iter.size_hint().0 } else { 0 }
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

/// Iterables that are all there: to take from them never waits, so cheap items may be taken several at a time.
pub trait Sure: IntoIterator {}

impl<T> Sure for Vec<T> {}
impl<T> Sure for &Vec<T> {}
impl<T> Sure for &[T] {}
impl<T> Sure for std::collections::VecDeque<T> {}
impl<T, const N: usize> Sure for [T; N] {}
impl<T, const N: usize> Sure for &[T; N] {}
impl<T> Sure for Range<T> where Self: Iterator {}
impl<T> Sure for std::ops::RangeInclusive<T> where Self: Iterator {}
impl Sure for std::str::Chars<'_> {}
impl Sure for std::str::Lines<'_> {}

/// Every nth number of a range.
#[derive(Clone, Debug)]
pub struct Steps<T> {
    next: Option<T>,
    end: T,
    step: T,
}

impl<T: Number> Iterator for Steps<T> {
    type Item = T;

    #[inline]
    fn next(&mut self) -> Option<T> {
        let x = self.next?;
        let up = self.step > T::ZERO;
        self.next = x
            .add(self.step)
            .filter(|y| if up { *y < self.end } else { *y > self.end });
        Some(x)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (usize::from(self.next.is_some()), None)
    }
}

/// The numbers that a range is made of.
pub trait Number: Copy + PartialOrd {
    #[doc(hidden)]
    const ZERO: Self;
    /// The sum, unless it overflows.
    #[doc(hidden)]
    fn add(self, other: Self) -> Option<Self>;
}

macro_rules! numbers {
    ($($t:ty)*) => {$(
        #[diagnostic::do_not_recommend]
        impl Number for $t {
            const ZERO: Self = 0;

            #[inline]
            fn add(self, other: Self) -> Option<Self> {
                self.checked_add(other)
            }
        }
    )*};
}
numbers!(i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize);
