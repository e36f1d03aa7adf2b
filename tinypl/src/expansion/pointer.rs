//! Functions for worker processes, which capture nothing, and the checks of what travels:
//! `match item_pointer(item(&up)) { mut f => match f = |x| … { () => match serial_items(up, f) { (up, f) => process::map(up,
//! item_result(f)) } } }`. As in `guard`, a check that fails leaves open what it was given, which silences the rest.
use super::closure::Item;
use super::{Impossible, No, Yes};
use crate::pipe::Pipe;
#[cfg(all(feature = "process", target_os = "linux"))]
use serde::{Deserialize, Serialize};

/// Without the feature the missing path `tinypl::process` says it all.
#[cfg(not(all(feature = "process", target_os = "linux")))]
mod serde {
    pub trait Serialize {}
    impl<T> Serialize for T {}
    pub trait Deserialize<'de> {}
    impl<T> Deserialize<'_> for T {}
}
#[cfg(not(all(feature = "process", target_os = "linux")))]
use self::serde::{Deserialize, Serialize};

// `Deserialize<'static>`, not `DeserializeOwned`: of what borrows the stage itself complains, once is enough

/// What the checks speak of. It is ours: of a type of the user's rustc would show the declaration, too.
#[derive(Debug)]
pub struct Travels;

macro_rules! travels {
    ($name:ident, $($bound:ident)*; $message:literal, $label:literal) => {
        #[diagnostic::on_unimplemented(
            message = $message,
            label = $label,
            note = "derive `serde::Serialize` and `serde::Deserialize`; of what is borrowed or shared send a copy"
        )]
        pub trait $name<T, K> {
            type Held<X>;
            fn hold<X>(x: X) -> Self::Held<X>;
        }

        #[diagnostic::do_not_recommend]
        impl<T: Serialize + Deserialize<'static> $(+ $bound)*> $name<T, Yes> for Travels {
            type Held<X> = X;

            fn hold<X>(x: X) -> X {
                x
            }
        }

        #[diagnostic::do_not_recommend]
        impl<T: Impossible> $name<T, No> for Travels {
            type Held<X> = X;

            fn hold<X>(x: X) -> X {
                x
            }
        }
    };
}
travels!(Goes,; "`{T}` can't go to a worker process", "this stage's items are not `Serialize` and `Deserialize`");
travels!(Along,; "`{T}` can't go to a worker process", "this stage's context is not `Serialize` and `Deserialize`");
travels!(Comes, Send; "`{T}` can't come back from a worker process", "this stage's results are not `Serialize`, `Deserialize` and `Send`");

#[rustfmt::skip] // each on one line: rustc's message is shorter
#[expect(clippy::type_complexity, reason = "a name for it would stand in rustc's message")]
mod checks {
    use super::{Along, Comes, Goes, Pipe, Travels};

    pub fn serial_items<P: Pipe, F, K>(up: P, f: F) -> <Travels as Goes<P::Item, K>>::Held<(P, F)> where Travels: Goes<P::Item, K> { <Travels as Goes<P::Item, K>>::hold((up, f)) }
    pub fn serial_context<C, F, K>(context: C, f: F) -> <Travels as Along<C, K>>::Held<(C, F)> where Travels: Along<C, K> { <Travels as Along<C, K>>::hold((context, f)) }
    pub fn returned_items<P: Pipe, F, K>(up: P, f: F) -> <Travels as Comes<P::Item, K>>::Held<(P, F)> where Travels: Comes<P::Item, K> { <Travels as Comes<P::Item, K>>::hold((up, f)) }
    pub fn item_result<A, R, K>(f: fn(A) -> R) -> <Travels as Comes<R, K>>::Held<fn(A) -> R> where Travels: Comes<R, K> { <Travels as Comes<R, K>>::hold(f) }
    pub fn context_result<C, A, R, K>(f: fn(&C, A) -> R) -> <Travels as Comes<R, K>>::Held<fn(&C, A) -> R> where Travels: Comes<R, K> { <Travels as Comes<R, K>>::hold(f) }
    pub fn state_result<S, A, R, K>(f: fn(&mut S, A) -> R) -> <Travels as Comes<R, K>>::Held<fn(&mut S, A) -> R> where Travels: Comes<R, K> { <Travels as Comes<R, K>>::hold(f) }
}
pub use checks::*;

const NEVER: &str = "another function was assigned before";

pub fn item_pointer<A, R>(_: Item<A>) -> fn(A) -> R {
    |_| unreachable!("{NEVER}")
}

pub fn ref_pointer<A>(_: Item<A>) -> fn(&A) {
    |_| unreachable!("{NEVER}")
}

pub fn context_pointer<C, A, R>(_: &C, _: Item<A>) -> fn(&C, A) -> R {
    |_, _| unreachable!("{NEVER}")
}

pub fn state_pointer<S, A, R>(_: &fn() -> S, _: Item<A>) -> fn(&mut S, A) -> R {
    |_, _| unreachable!("{NEVER}")
}

pub fn init_pointer<S>() -> fn() -> S {
    || unreachable!("{NEVER}")
}
