//! Closures. An `Fn*` bound tells rustc a closure's signature and fixes its kind; `dyn Val<…>` (a trait that is not `Fn*`,
//! with `FnMut` above it) tells the signature alone, and the body keeps the kind.
use super::{Impossible, No, Yes};
use crate::pipe::Pipe;
use std::marker::PhantomData;

// Two impls, as of each check (`guard`): `K` stays open where a closure does not fit.
macro_rules! signature {
    ($trait:ident, [$($fn:tt)*], $label:literal) => {
        #[diagnostic::on_unimplemented(
            message = "this function does not fit the stage before it, whose items are `{A}`",
            label = $label
        )]
        pub trait $trait<A, R, K>: $($fn)* {}

        #[diagnostic::do_not_recommend]
        impl<A, R, F: $($fn)*> $trait<A, R, Yes> for F {}
        #[diagnostic::do_not_recommend]
        impl<A, R, F: $($fn)* + Impossible> $trait<A, R, No> for F {}
    };
}
signature!(Val, [FnMut(A) -> R], "should take `{A}` and return `{R}`");
signature!(Ref, [for<'a> FnMut(&'a A) -> R], "should take `&{A}` and return `{R}`");

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

/// `match None { mut f => match by_val(item(&up), hint(|x| …, &mut f)) { fits => map(up, fits.of(f)) } }`
#[inline]
pub fn hint<F, S: Slot<F>>(f: F, slot: S) -> *const F {
    slot.put(f);
    std::ptr::null()
}

/// Whether a closure that was hinted fits.
#[derive(Debug)]
pub struct Fits<K>(PhantomData<K>);

impl<K> Fits<K> {
    /// The closure. Of one that does not fit, which was said where it was hinted, not even the type is known.
    #[inline]
    pub fn of<F: Hinted<K>>(self, f: Option<F>) -> F::Held {
        f.expect("`hint` put it there").hold()
    }
}

pub trait Hinted<K> {
    type Held;
    fn hold(self) -> Self::Held;
}

impl<F> Hinted<Yes> for F {
    type Held = F;

    #[inline]
    fn hold(self) -> F {
        self
    }
}

impl<F> Hinted<No> for F {
    type Held = ();

    fn hold(self) {}
}

#[inline]
pub fn by_val<'a, A, R, K>(_: Item<A>, _: *const (dyn Val<A, R, K> + 'a)) -> Fits<K> {
    Fits(PhantomData)
}

#[inline]
pub fn by_ref<'a, A, R, K>(_: Item<A>, _: *const (dyn Ref<A, R, K> + 'a)) -> Fits<K> {
    Fits(PhantomData)
}

// `$above`: from where rustc takes a closure's signature, and with it its kind, before it judges the demand `$fn`.
macro_rules! takes {
    ($trait:ident<$($a:ident),*>: [$($above:tt)*] [$($fn:tt)*]; $message:literal, $label:literal) => {
        #[diagnostic::on_unimplemented(message = $message, label = $label)]
        pub trait $trait<$($a,)* R, K>: $($above)* {
            type Held: $($above)*;
            fn hold(self) -> Self::Held;
        }

        #[diagnostic::do_not_recommend]
        impl<$($a,)* R, F: $($fn)*> $trait<$($a,)* R, Yes> for F {
            type Held = F;

            #[inline]
            fn hold(self) -> F {
                self
            }
        }

        #[diagnostic::do_not_recommend]
        impl<$($a,)* R, F: $($fn)* + Impossible> $trait<$($a,)* R, No> for F {
            type Held = F;

            fn hold(self) -> F {
                self
            }
        }
    };
}
takes!(Takes<A>: [Sized] [FnMut(A) -> R];
    "this function does not fit the stage before it, whose items are `{A}`",
    "should take `{A}` and return `{R}`");
takes!(TakesRef<A>: [Sized] [FnMut(&A) -> R];
    "this function does not fit the stage before it, whose items are `{A}`",
    "should take `&{A}` and return `{R}`");
takes!(Makes<>: [Fn() -> R] [Fn() -> R];
    "this is no function that makes a state",
    "should be a function without arguments: each worker calls it once");
takes!(TakesState<S, A>: [Fn(&mut S, A) -> R] [Fn(&mut S, A) -> R];
    "this function does not fit: the state is `{S}`, the items are `{A}`",
    "should take `&mut {S}` and `{A}`");

#[cfg(feature = "dataloader")]
takes!(Collates<S>: [Fn(Vec<S>) -> R] [Fn(Vec<S>) -> R];
    "this function makes no batch of the samples, which are `{S}`",
    "should take `Vec<{S}>`");

#[inline]
pub fn takes_val<A, F: Takes<A, R, K>, R, K>(_: Item<A>, f: F) -> F::Held {
    f.hold()
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
