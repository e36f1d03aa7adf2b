//! Closures. An `Fn*` bound tells rustc a closure's signature and fixes its kind; `dyn Val<…>` (a trait that is not `Fn*`,
//! with `FnMut` above it) tells the signature alone, and the body keeps the kind.
use super::{Impossible, No, Yes};
use crate::pipe::Pipe;
use std::marker::PhantomData;

pub trait Val<A, R>: FnMut(A) -> R {}
impl<A, R, F: FnMut(A) -> R> Val<A, R> for F {}
pub trait Ref<A, R>: for<'a> FnMut(&'a A) -> R {}
impl<A, R, F: for<'a> FnMut(&'a A) -> R> Ref<A, R> for F {}

/// The type of a stream's items, for the functions below: they name no stage, so neither do their errors.
pub(crate) type Item<A> = PhantomData<fn() -> A>;

#[inline]
pub fn item<P: Pipe>(_: &P) -> Item<P::Item> {
    PhantomData
}

/// Where [`hint`] puts the closure.
pub trait Slot<F> {
    fn put(self, f: F);
}

impl<F> Slot<F> for &mut Option<F> {
    #[inline]
    fn put(self, f: F) {
        *self = Some(f);
    }
}

/// `match None { mut f => match by_val(item(&up), hint(|x| …, &mut f)) { () => map(up, f.unwrap()) } }`
#[inline]
pub fn hint<F, S: Slot<F>>(f: F, slot: S) -> *const F {
    slot.put(f);
    std::ptr::null()
}

#[inline]
pub fn by_val<'a, A, R>(_: Item<A>, _: *const (dyn Val<A, R> + 'a)) {}

#[inline]
pub fn by_ref<'a, A, R>(_: Item<A>, _: *const (dyn Ref<A, R> + 'a)) {}

#[diagnostic::on_unimplemented(
    message = "this function does not fit the stage before it, whose items are `{A}`",
    label = "should take `{A}` and return `{R}`"
)]
pub trait Takes<A, R, K> {
    type Held;
    fn hold(self) -> Self::Held;
}

#[diagnostic::do_not_recommend]
impl<A, R, F: FnMut(A) -> R> Takes<A, R, Yes> for F {
    type Held = F;

    #[inline]
    fn hold(self) -> F {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<A, R, F: Impossible> Takes<A, R, No> for F {
    type Held = F;

    fn hold(self) -> F {
        self
    }
}

#[inline]
pub fn takes_val<A, F: Takes<A, R, K>, R, K>(_: Item<A>, f: F) -> F::Held {
    f.hold()
}

#[diagnostic::on_unimplemented(
    message = "this function does not fit the stage before it, whose items are `{A}`",
    label = "should take `&{A}` and return `{R}`"
)]
pub trait TakesRef<A, R, K> {
    type Held;
    fn hold(self) -> Self::Held;
}

#[diagnostic::do_not_recommend]
impl<A, R, F: FnMut(&A) -> R> TakesRef<A, R, Yes> for F {
    type Held = F;

    #[inline]
    fn hold(self) -> F {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<A, R, F: Impossible> TakesRef<A, R, No> for F {
    type Held = F;

    fn hold(self) -> F {
        self
    }
}

#[inline]
pub fn takes_ref<A, F: TakesRef<A, R, K>, R, K>(_: Item<A>, f: F) -> F::Held {
    f.hold()
}

macro_rules! concurrent {
    ($trait:ident<$($a:ident),*>($($arg:ty),*)) => {
        #[diagnostic::on_unimplemented(
            message = "several threads can't call this function, and a queue below pulls it from several",
            label = "it changes what it captured, or holds what is not `Send` and `Sync`",
            note = "put `|> thread::mutex()` after its stage, or give each worker a state: `thread::map_init(init, f)`"
        )]
        pub trait $trait<$($a,)* R>: Fn($($arg),*) -> R + Send + Sync {}

        #[diagnostic::do_not_recommend]
        impl<$($a,)* R, F: Fn($($arg),*) -> R + Send + Sync> $trait<$($a,)* R> for F {}
    };
}
concurrent!(Concurrent<A>(A));
concurrent!(ConcurrentRef<A>(&A));
concurrent!(ConcurrentCall<>());

// What these give back is opaque: its bounds hold whatever was passed in, so nothing fails again below. Not by the macro,
// and each on one line: rustc's message shows where the bound stands, and how it came there.
#[inline]
#[rustfmt::skip]
pub fn concurrent_val<A, F: Concurrent<A, R>, R>(_: Item<A>, f: F) -> impl Fn(A) -> R + Send + Sync + use<A, F, R> { f }

#[inline]
#[rustfmt::skip]
pub fn concurrent_ref<A, F: ConcurrentRef<A, R>, R>(_: Item<A>, f: F) -> impl Fn(&A) -> R + Send + Sync + use<A, F, R> { f }

#[inline]
#[rustfmt::skip]
pub fn concurrent_call<F: ConcurrentCall<R>, R>(f: F) -> impl Fn() -> R + Send + Sync + use<F, R> { f }
