//! What a source expression is, found out by a macro that sees no types: `open(Src::new(expr).find())`. Inherent methods
//! only, so that an expansion needs no `use` (and no block, which would end the temporaries of `expr`). One level of
//! `Deref` for each kind of source, the first that fits wins; one candidate a level, so that an expression of the error
//! type is not ambiguous.
use super::closure::Item;
use super::{Impossible, No, Yes};
use crate::locked::Locked;
use crate::pipe::Pipe;
use crate::pipeline::{Borrowed, Pipeline, borrowed};
use crate::post::Post;
use crate::stage::{All, Iter, Sure, source};
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

#[derive(Debug)]
pub struct Src<T>(Level1<T>);
#[derive(Debug)]
pub struct Level1<T>(Level2<T>);
#[derive(Debug)]
pub struct Level2<T>(Level3<T>);
#[derive(Debug)]
pub struct Level3<T>(Level4<T>);
#[derive(Debug)]
pub struct Level4<T>(Option<T>);

macro_rules! level {
    ($($level:ident => $next:ident)*) => {$(
        impl<T> Deref for $level<T> {
            type Target = $next<T>;

            #[inline]
            fn deref(&self) -> &$next<T> {
                &self.0
            }
        }

        impl<T> DerefMut for $level<T> {
            #[inline]
            fn deref_mut(&mut self) -> &mut $next<T> {
                &mut self.0
            }
        }
    )*};
}
level!(Src => Level1 Level1 => Level2 Level2 => Level3 Level3 => Level4);

impl<T> Src<T> {
    #[inline]
    pub fn new(t: T) -> Self {
        Self(Level1(Level2(Level3(Level4(Some(t))))))
    }
}

/// A source and its kind.
#[derive(Debug)]
pub struct Is<T, K>(T, PhantomData<K>);

impl<T, K> Is<T, K> {
    #[inline]
    fn new(t: T) -> Self {
        Self(t, PhantomData)
    }
}

#[derive(Debug)]
pub struct APipeline;
#[derive(Debug)]
pub struct AMut;
#[derive(Debug)]
pub struct APipe;
#[derive(Debug)]
pub struct ASureIterable;
#[derive(Debug)]
pub struct AnIterable;

impl<P: Pipe> Src<Pipeline<P>> {
    #[inline]
    pub fn find(&mut self) -> Is<Pipeline<P>, APipeline> {
        Is::new(self.take())
    }
}

impl<'a, P: Pipe> Level1<&'a mut Pipeline<P>> {
    #[inline]
    pub fn find(&mut self) -> Is<&'a mut Pipeline<P>, AMut> {
        Is::new(self.take())
    }
}

impl<P: Pipe> Level2<P> {
    #[inline]
    pub fn find(&mut self) -> Is<P, APipe> {
        Is::new(self.take())
    }
}

impl<I: Sure> Level3<I> {
    #[inline]
    pub fn find(&mut self) -> Is<I, ASureIterable> {
        Is::new(self.take())
    }
}

impl<T> Level4<T> {
    #[inline]
    pub fn find(&mut self) -> Is<T, AnIterable> {
        Is::new(self.take())
    }

    #[inline]
    pub(crate) fn take(&mut self) -> T {
        self.0.take().expect("taken once")
    }
}

#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a source",
    label = "not a source",
    note = "a source is `range(…)`, a track, a `Pipeline` or `&mut` of it, or anything that is `IntoIterator`"
)]
pub trait Opens<K, Y> {
    type Pipe;
    fn open(self) -> Self::Pipe;
}

#[diagnostic::do_not_recommend]
impl<P: Pipe> Opens<APipeline, Yes> for Pipeline<P> {
    type Pipe = P;

    #[inline]
    #[track_caller]
    fn open(self) -> P {
        self.into_pipe()
    }
}

#[diagnostic::do_not_recommend]
impl<'a, P: Pipe> Opens<AMut, Yes> for &'a mut Pipeline<P> {
    type Pipe = Locked<Borrowed<'a, P>>;

    #[inline]
    #[track_caller]
    fn open(self) -> Self::Pipe {
        borrowed(self)
    }
}

#[diagnostic::do_not_recommend]
impl<P: Pipe> Opens<APipe, Yes> for P {
    type Pipe = P;

    #[inline]
    fn open(self) -> P {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<I: IntoIterator> Opens<ASureIterable, Yes> for I {
    type Pipe = Locked<All<I::IntoIter>>;

    #[inline]
    #[track_caller]
    fn open(self) -> Self::Pipe {
        Locked::new(All::new(self.into_iter()), Post::here("source"))
    }
}

#[diagnostic::do_not_recommend]
impl<I: IntoIterator> Opens<AnIterable, Yes> for I {
    type Pipe = Locked<Iter<I::IntoIter>>;

    #[inline]
    #[track_caller]
    fn open(self) -> Self::Pipe {
        source(self)
    }
}

#[diagnostic::do_not_recommend]
impl<T: Impossible> Opens<AnIterable, No> for T {
    type Pipe = ();

    fn open(self) {}
}

#[inline]
#[track_caller]
#[rustfmt::skip] // on one line rustc's message is shorter
pub fn open<T: Opens<K, Y>, K, Y>(is: Is<T, K>) -> T::Pipe { is.0.open() }

// What an own stage gives: `match double(up) { s => own(Src::of(&s).own(s)) }`. Where a bound of the user's function is not
// met, its opaque type is not well-formed, and rustc says so anew wherever that type passes. Only the search for a method
// asks whether it is (`where (P,):`) and goes on in silence.

impl<T> Src<Item<T>> {
    #[inline]
    pub fn of(_: &T) -> Self {
        Self::new(PhantomData)
    }
}

impl<P: Pipe> Src<Item<P>>
where
    (P,):,
{
    #[inline]
    pub fn own(&self, stage: P) -> P {
        stage
    }
}

impl<P: Pipe> Level1<Item<P>> {
    /// Not well-formed, which rustc has said: nobody knows what it is.
    pub fn own<Q: Pipe>(&self, _: P) -> Q {
        unreachable!("not well-formed")
    }
}

impl<T> Level2<Item<T>> {
    /// No stream, says the check.
    pub fn own(&self, stage: T) -> T {
        stage
    }
}
