//! The functions that stages hold. rustc takes a closure's kind from the bound it meets: passed to `F: FnMut` a closure
//! *is* `FnMut`, whatever its body does. So what one thread calls and what several may call are two types.
use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;

/// A function that a stage holds: an `F: Fn` itself, or an [`Exclusive`] one.
pub trait Func<A> {
    /// What it returns.
    type Out;
    /// By the one puller.
    fn call_mut(&mut self, a: A) -> Self::Out;
    /// By one of several pullers: only where the stage is `Sync`.
    fn call(&self, a: A) -> Self::Out;
}

impl<A, R, F: Fn(A) -> R> Func<A> for F {
    type Out = R;

    #[inline]
    fn call_mut(&mut self, a: A) -> R {
        self(a)
    }

    #[inline]
    fn call(&self, a: A) -> R {
        self(a)
    }
}

/// A function without arguments that a stage holds, as [`Func`].
pub trait Action {
    /// By the one puller.
    fn act_mut(&mut self);
    /// By one of several pullers.
    fn act(&self);
}

impl<F: Fn()> Action for F {
    #[inline]
    fn act_mut(&mut self) {
        self();
    }

    #[inline]
    fn act(&self) {
        self();
    }
}

/// An `FnMut`, which one thread at a time calls. Its `Cell` makes every stage that holds one not `Sync`.
pub struct Exclusive<F>(pub(crate) F, PhantomData<Cell<()>>);

impl<F> Exclusive<F> {
    pub(crate) fn new(f: F) -> Self {
        Self(f, PhantomData)
    }
}

impl<F> fmt::Debug for Exclusive<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exclusive").finish_non_exhaustive()
    }
}

impl<A, R, F: FnMut(A) -> R> Func<A> for Exclusive<F> {
    type Out = R;

    #[inline]
    fn call_mut(&mut self, a: A) -> R {
        (self.0)(a)
    }

    fn call(&self, _: A) -> R {
        unreachable!("a stage with an exclusive function is not Sync")
    }
}

impl<F: FnMut()> Action for Exclusive<F> {
    #[inline]
    fn act_mut(&mut self) {
        (self.0)();
    }

    fn act(&self) {
        unreachable!("a stage with an exclusive function is not Sync")
    }
}
