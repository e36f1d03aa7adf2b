//! Markers: signals between the items, which say how far a stream has come. [`insert_periodic`] puts them in, [`on`] calls a
//! function when one passes, [`until`] ends a stream there. All other stages hand them on in their places.
//!
//! ```
//! use tinypl::pipeline;
//!
//! let mut groups = 0;
//! let squares: Vec<i32> = pipeline! {
//!     range(6) |> m @ marker::insert_periodic(3) |> map(|x| x * x) |> marker::on(|| groups += 1, m) |> collect()
//! };
//! assert_eq!((squares, groups), (vec![0, 1, 4, 9, 16, 25], 2));
//! ```
//!
//! In the types they are a list, `Or<Mark<A>, Or<Mark<B>, Infallible>>`. Each `m @` is a type of its own, so a marker that is
//! not upstream does not compile. What travels ([`Named::Raw`]) says which one it is, without the names.
pub use crate::stage::marker::{InsertPeriodic, Inserting, On, OnConsumed, Until, insert_periodic, on, on_mut, until};

use crate::monitor::brand;
use crate::pipe::Named;
use std::convert::Infallible;
use std::fmt;
use std::marker::PhantomData;

/// A marker: the handle `m` of `m @ marker::insert_periodic(n)`.
pub struct Mark<B>(PhantomData<fn() -> B>);

impl<B> Mark<B> {
    pub(crate) fn new() -> Self {
        Self(PhantomData)
    }
}

impl<B> Copy for Mark<B> {}

impl<B> Clone for Mark<B> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<B> fmt::Debug for Mark<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mark")
    }
}

/// Any marker: what [`on`] and [`until`] mean without one.
#[derive(Clone, Copy, Debug)]
pub struct Any;

/// In [`partition`](crate::partition): a marker goes before the group in which it arrives.
#[derive(Clone, Copy, Debug)]
pub struct Before;

/// In [`partition`](crate::partition): a marker waits for the group in which it arrives.
#[derive(Clone, Copy, Debug)]
pub struct After;

/// A list of markers: this one, or one of the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Or<A, B> {
    /// The one inserted last.
    This(A),
    /// One that was inserted above it.
    Rest(B),
}

impl<B, R: Named> Named for Or<Mark<B>, R> {
    type Raw = Or<(), R::Raw>;

    fn names(names: &mut Vec<String>) {
        names.push(brand::<B>().unwrap_or("marker").to_owned());
        R::names(names);
    }
}

/// A stream without markers.
#[diagnostic::on_unimplemented(
    message = "`partition` on a stream that carries markers",
    label = "where should a marker go: before or after the items of its group?",
    note = "say so: `partition(n, markers = before)` or `markers = after`"
)]
pub trait NoMarker {}

impl NoMarker for Infallible {}

/// A list of markers in which `M` stands at place `I`.
///
/// `I` is both that place and the code that looks there ([`Place`]). A stage keeps `I` alone: where `M` is missing, `I`
/// stays unknown, and rustc says nothing more about the stage.
#[diagnostic::on_unimplemented(
    message = "the marker `{M}` is not inserted upstream",
    label = "no such marker in this stream",
    note = "insert it in this stream: `m @ marker::insert_periodic(n)`"
)]
pub trait Has<M, I> {}

/// A place in the list `L`.
pub trait Place<L: Named> {
    /// The list without it.
    type Rest: Named;
    /// Whether `mark` is the one at this place.
    fn is(mark: &L::Raw) -> bool;
    /// Takes the one at this place out.
    fn without(mark: L::Raw) -> Option<<Self::Rest as Named>::Raw>;
}

/// The first place.
#[derive(Debug)]
pub struct Here;

/// A later place.
#[derive(Debug)]
pub struct There<I>(PhantomData<I>);

#[diagnostic::do_not_recommend]
impl<B, R> Has<Mark<B>, Here> for Or<Mark<B>, R> {}

impl<B, R: Named> Place<Or<Mark<B>, R>> for Here {
    type Rest = R;

    #[inline]
    fn is(mark: &Or<(), R::Raw>) -> bool {
        matches!(mark, Or::This(()))
    }

    fn without(mark: Or<(), R::Raw>) -> Option<R::Raw> {
        match mark {
            Or::This(()) => None,
            Or::Rest(rest) => Some(rest),
        }
    }
}

#[diagnostic::do_not_recommend]
impl<A, R: Has<Mark<B>, I>, B, I> Has<Mark<B>, There<I>> for Or<A, R> {}

impl<B, R: Named, I: Place<R>> Place<Or<Mark<B>, R>> for There<I> {
    type Rest = Or<Mark<B>, I::Rest>;

    #[inline]
    fn is(mark: &Or<(), R::Raw>) -> bool {
        matches!(mark, Or::Rest(rest) if I::is(rest))
    }

    fn without(mark: Or<(), R::Raw>) -> Option<Or<(), <I::Rest as Named>::Raw>> {
        match mark {
            Or::This(()) => Some(Or::This(())),
            Or::Rest(rest) => I::without(rest).map(Or::Rest),
        }
    }
}

#[diagnostic::do_not_recommend]
impl<A, R> Has<Any, Any> for Or<A, R> {}

impl<B, R: Named> Place<Or<Mark<B>, R>> for Any {
    type Rest = Infallible;

    #[inline]
    fn is(_: &Or<(), R::Raw>) -> bool {
        true
    }

    fn without(_: Or<(), R::Raw>) -> Option<Infallible> {
        None
    }
}
