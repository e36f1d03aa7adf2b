//! A pipeline built in one block and pulled by a queue in another. In its own block no queue stood below, so the macro let
//! its closures be `FnMut`; those that turn out to be `Fn` are called as such here.
use super::find::{Level4, Src};
#[cfg(feature = "dataloader")]
use crate::dataloader::Loaded;
use crate::func::Exclusive;
use crate::locked::{Locked, Serial};
use crate::marker::Place;
use crate::pipe::{Named, Pipe, Tagged};
use crate::pipeline::Pipeline;
#[cfg(feature = "progress")]
use crate::stage::Progress;
use crate::stage::debug::{Function, FunctionMut, Message, PrintOnItem, Text};
use crate::stage::marker::{InsertPeriodic, On, OnConsumed};
use crate::stage::order::Save;
#[cfg(all(feature = "process", target_os = "linux"))]
use crate::stage::process::Workers;
use crate::stage::thread::Queue;
use crate::stage::{Each, Filter, FilterMap, Map, Partition, TryMap};
use std::error::Error as StdError;
use std::fmt::Display;

/// A stream whose closures can be called by several threads.
#[diagnostic::on_unimplemented(
    message = "several threads can't pull this pipeline",
    label = "one of its closures changes what it captured",
    note = "put `thread::mutex()` above the queue, then one thread at a time pulls it"
)]
pub trait Widen: Pipe {
    type Wide: Pipe<Item = Self::Item, Marker = Self::Marker, Tags = Self::Tags>;
    fn widen(self) -> Self::Wide;
}

/// ... and that several threads may hold.
#[diagnostic::on_unimplemented(
    message = "several threads can't pull this pipeline",
    label = "one of its closures changes what it captured, or something in it is not `Send` and `Sync`",
    note = "put `thread::mutex()` above the queue, then one thread at a time pulls it"
)]
pub trait Concurrent: Widen<Wide: Send + Sync> {}

#[diagnostic::do_not_recommend]
impl<P: Widen<Wide: Send + Sync>> Concurrent for P {}

// Below a queue: converts what can be converted. On one line rustc's message is shorter.
#[rustfmt::skip]
impl<P: Widen> Src<Pipeline<P>> { pub fn widen(&mut self) -> Pipeline<impl Pipe<Item = P::Item, Marker = P::Marker, Tags = P::Tags> + Send + Sync + use<P>> where P: Concurrent {
    Pipeline::new(self.take().into_pipe().widen())
} }

impl<T> Level4<T> {
    /// Below a queue: what is no pipeline stays what it is.
    #[inline]
    pub fn widen(&mut self) -> T {
        self.take()
    }
}

#[diagnostic::do_not_recommend]
impl<S: Serial> Widen for Locked<S> {
    type Wide = Self;

    fn widen(self) -> Self {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<T, M: Named, G: Tagged, S> Widen for Queue<'_, T, M, G, S>
where
    Self: Pipe<Item = T, Marker = M, Tags = G>,
{
    type Wide = Self;

    fn widen(self) -> Self {
        self
    }
}

#[cfg(all(feature = "process", target_os = "linux"))]
#[diagnostic::do_not_recommend]
impl<T, M: Named, G: Tagged, S> Widen for Workers<'_, T, M, G, S>
where
    Self: Pipe<Item = T, Marker = M, Tags = G>,
{
    type Wide = Self;

    fn widen(self) -> Self {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<P: Pipe, B> Widen for Save<P, B> {
    type Wide = Self;

    fn widen(self) -> Self {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<P: Pipe<Tags = ()>, B> Widen for InsertPeriodic<P, B> {
    type Wide = Self;

    fn widen(self) -> Self {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<P: Pipe<Tags = ()>, M> Widen for Partition<P, M>
where
    Self: Pipe,
{
    type Wide = Self;

    fn widen(self) -> Self {
        self
    }
}

macro_rules! widen_message {
    ($kind:ty) => {
        #[diagnostic::do_not_recommend]
        impl<P: Widen, M: Message<P::Item, $kind>> Widen for PrintOnItem<P, M, $kind> {
            type Wide = PrintOnItem<P::Wide, M, $kind>;

            fn widen(self) -> Self::Wide {
                self.over(P::widen)
            }
        }
    };
}
widen_message!(Text);
widen_message!(Function);

#[diagnostic::do_not_recommend]
impl<P: Widen, F: Fn(&P::Item) -> R, R: Display> Widen for PrintOnItem<P, Exclusive<F>, FunctionMut> {
    type Wide = PrintOnItem<P::Wide, F, Function>;

    fn widen(self) -> Self::Wide {
        self.over(P::widen).shared()
    }
}

#[cfg(feature = "dataloader")]
#[diagnostic::do_not_recommend]
impl<P: Pipe, E> Widen for Loaded<P, E> {
    type Wide = Self;

    fn widen(self) -> Self {
        self
    }
}

#[cfg(feature = "progress")]
#[diagnostic::do_not_recommend]
impl<P: Widen> Widen for Progress<P> {
    type Wide = Progress<P::Wide>;

    fn widen(self) -> Self::Wide {
        self.over(P::widen)
    }
}

// each stage with a closure: as `FnMut`, where it is an `Fn` after all, and as `Fn`
macro_rules! widen {
    ($stage:ident.$f:ident { $($field:ident),* } [$($generics:tt)*] $fn:path $(where $($bounds:tt)*)?) => {
        #[diagnostic::do_not_recommend]
        impl<P: Widen, F: $fn, $($generics)*> Widen for $stage<P, Exclusive<F>> $(where $($bounds)*)? {
            type Wide = $stage<P::Wide, F>;

            fn widen(self) -> Self::Wide {
                $stage { up: self.up.widen(), $f: self.$f.0, $($field: self.$field),* }
            }
        }

        #[diagnostic::do_not_recommend]
        impl<P: Widen, F: $fn, $($generics)*> Widen for $stage<P, F> $(where $($bounds)*)? {
            type Wide = $stage<P::Wide, F>;

            fn widen(self) -> Self::Wide {
                $stage { up: self.up.widen(), $f: self.$f, $($field: self.$field),* }
            }
        }
    };
}
widen!(Map.f { post } [R] Fn(P::Item) -> R);
widen!(Each.f { post } [] Fn(&P::Item));
widen!(Filter.pred { given, post } [] Fn(&P::Item) -> bool);
widen!(FilterMap.f { given, post } [R] Fn(P::Item) -> Option<R>);
widen!(TryMap.f { failed, post } [R, E] Fn(P::Item) -> Result<R, E> where E: Into<Box<dyn StdError + Send + Sync>>);

macro_rules! widen_on {
    ($stage:ident { $($field:ident),* }) => {
        #[diagnostic::do_not_recommend]
        impl<P: Widen, F: Fn(), I: Place<P::Marker>> Widen for $stage<P, Exclusive<F>, I> {
            type Wide = $stage<P::Wide, F, I>;

            fn widen(self) -> Self::Wide {
                $stage { up: self.up.widen(), f: self.f.0, $($field: self.$field),* }
            }
        }

        #[diagnostic::do_not_recommend]
        impl<P: Widen, F: Fn(), I: Place<P::Marker>> Widen for $stage<P, F, I> {
            type Wide = $stage<P::Wide, F, I>;

            fn widen(self) -> Self::Wide {
                $stage { up: self.up.widen(), f: self.f, $($field: self.$field),* }
            }
        }
    };
}
widen_on!(On { consume, post, place });
widen_on!(OnConsumed { post, place });
