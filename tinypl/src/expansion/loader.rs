//! The checks of `dataloader::load(…)`. As in `guard`, one that fails leaves open what it was given, which silences the rest:
//! `loader(takes(gives(collates(shares(load(a_dataset(d)).batchsize(4).sampler(a_sampler(s)).collated(|batch| …))))))`.
use super::{Impossible, No, Yes};
use crate::dataloader::sampler::Sequential;
use crate::dataloader::{
    Apart, Build, Collate, Dataset, Fallibly, Gather, Load, Loaded, Marks, NoBatchsize, Reads, Sampler, Serial,
    Threads, Together,
};
use std::error::Error as StdError;
#[cfg(all(feature = "process", target_os = "linux"))]
use {
    crate::dataloader::Processes,
    serde::{Deserialize, Serialize},
};

macro_rules! argument {
    ($trait:ident of $is:path; $message:literal, $label:literal, $note:literal) => {
        #[diagnostic::on_unimplemented(message = $message, label = $label, note = $note)]
        pub trait $trait<K> {
            type Held;
            fn hold(self) -> Self::Held;
        }

        #[diagnostic::do_not_recommend]
        impl<T: $is> $trait<Yes> for T {
            type Held = T;

            fn hold(self) -> T {
                self
            }
        }

        #[diagnostic::do_not_recommend]
        impl<T: Impossible> $trait<No> for T {
            type Held = T;

            fn hold(self) -> T {
                self
            }
        }
    };
}
argument!(ADataset of Dataset; "`{Self}` is not a dataset", "not a dataset",
    "a dataset is a `Vec`, a slice, `dataloader::from_fn(len, f)`, or what implements `dataloader::Dataset`");
argument!(ASampler of Sampler; "`{Self}` is not a sampler", "neither a sampler nor an iterator of epochs of indices",
    "write `sampler::sequential()` or `sampler::shuffle(seed)`, or give an iterator of iterators of `usize`");
argument!(AMode of IsMode; "samples can't be loaded by `{Self}`", "not a way to load",
    "write `serial`, `thread(workers = n)` or `process(workers = n)`; a function of the samples is `collate`");

#[rustfmt::skip] // each on one line: rustc's message is shorter
mod arguments {
    use super::{ADataset, AMode, ASampler};

    pub fn a_dataset<D: ADataset<K>, K>(dataset: D) -> D::Held { dataset.hold() }
    pub fn a_sampler<S: ASampler<K>, K>(sampler: S) -> S::Held { sampler.hold() }
    pub fn a_mode<M: AMode<K>, K>(mode: M) -> M::Held { mode.hold() }
}
pub use arguments::*;

/// What says who loads.
pub trait IsMode {}
impl IsMode for Serial {}
impl<S> IsMode for Threads<S> {}
#[cfg(all(feature = "process", target_os = "linux"))]
impl IsMode for Processes {}

/// What `fallible = true` asks of a dataset.
#[diagnostic::on_unimplemented(
    message = "`fallible = true`, and `get` can't fail",
    label = "the samples of `{Self}` are no `Result`s of an error",
    note = "let `get` give a `Result` of the sample, with an error or its text as `Err`, or leave `fallible` out"
)]
pub trait MayFail<K> {
    type Held;
}

#[diagnostic::do_not_recommend]
impl<D: Dataset<Sample = Result<T, E>>, T, E: Into<Box<dyn StdError + Send + Sync>>> MayFail<Yes> for D {
    type Held = Fallibly;
}

#[diagnostic::do_not_recommend]
impl<D: Impossible> MayFail<No> for D {
    type Held = Fallibly;
}

/// `fallible = true`.
#[rustfmt::skip] // on one line rustc's message is shorter
pub fn may_fail<D: MayFail<K>, K>(load: Load<D>) -> Load<D, NoBatchsize, Sequential, Serial, Together, Gather, D::Held> {
    load.reading()
}

// What is unknown in part is unknown: else rustc would say `Yes` of it too early.
impl<T: Impossible> Impossible for Vec<T> {}

macro_rules! held {
    () => {
        type Held<X> = X;

        fn hold<X>(x: X) -> X {
            x
        }
    };
}

macro_rules! asks {
    ($trait:ident: [$($generic:ident)?] $mode:ty: $($bounds:tt)+) => {
        #[diagnostic::do_not_recommend]
        impl<T: $($bounds)+ $(, $generic)?> $trait<T, Yes> for $mode {
            held!();
        }

        #[diagnostic::do_not_recommend]
        impl<T: Impossible $(, $generic)?> $trait<T, No> for $mode {
            held!();
        }
    };
    ($trait:ident: [$($generic:ident)?] $mode:ty) => {
        #[diagnostic::do_not_recommend]
        impl<T $(, $generic)?> $trait<T, Yes> for $mode {
            held!();
        }
    };
}

/// What threads, or processes, ask of what they work with, and whoever pulls does not.
macro_rules! demand {
    ($trait:ident by $who:ident: $bounds:tt; $message:literal, $label:literal, $note:literal) => {
        #[diagnostic::on_unimplemented(message = $message, label = $label, note = $note)]
        pub trait $trait<T, K> {
            type Held<X>;
            fn hold<X>(x: X) -> Self::Held<X>;
        }

        asks!($trait: [] Serial);
        demand!($who $trait $bounds);
    };
    (threads $trait:ident [$($bounds:tt)+]) => {
        asks!($trait: [S] Threads<S>: $($bounds)+);
        #[cfg(all(feature = "process", target_os = "linux"))]
        asks!($trait: [] Processes);
    };
    (processes $trait:ident [$($bounds:tt)+]) => {
        asks!($trait: [S] Threads<S>);
        #[cfg(all(feature = "process", target_os = "linux"))]
        asks!($trait: [] Processes: $($bounds)+);
    };
}

demand!(Shares by threads: [Send + Sync]; "`{T}` can't be shared by threads", "these threads share what is not `Send` and `Sync`",
    "hold an `Arc` for an `Rc`, a lock or an atomic for a `Cell`, or load by `process(…)`");
demand!(Gives by threads: [Send]; "`{T}` can't come from another thread", "these threads give what is not `Send`",
    "give what is `Send` (an `Arc` for an `Rc`?)");
demand!(Sends by processes: [Serialize + Deserialize<'static>]; "`{T}` can't go to a worker process",
    "this is not `Serialize` and `Deserialize`",
    "derive `serde::Serialize` and `serde::Deserialize` for the dataset or its samples, or load by `thread(…)`");
demand!(Carries by processes: [Serialize + Deserialize<'static>]; "`collate` captures variables, so it can't go to a worker process",
    "these processes run `collate`, which has to capture nothing",
    "leave out `move` and what it captures, or collate by `collate_map = serial` or `thread(…)`");
demand!(Returns by processes: [Serialize + Deserialize<'static> + Send]; "`{T}` can't come back from a worker process",
    "what is loaded is not `Serialize`, `Deserialize` and `Send`",
    "derive `serde::Serialize` and `serde::Deserialize`, or load by `thread(…)`");

/// Who collates, and who only loads.
pub trait Place<M> {
    type Collator;
    /// Gives samples.
    type Sampler;
    /// Takes samples.
    type Taker;
}

impl<M> Place<M> for Together {
    type Collator = M;
    type Sampler = Serial;
    type Taker = Serial;
}

impl<M, K> Place<M> for Apart<K> {
    type Collator = K;
    type Sampler = M;
    type Taker = K;
}

type Collator<P, M> = <P as Place<M>>::Collator;
type Loads<P, M> = <P as Place<M>>::Sampler;
type Taker<P, M> = <P as Place<M>>::Taker;
type Sample<R, D> = <R as Reads<D>>::Sample;
type Batch<C, R, D> = <C as Collate<Sample<R, D>>>::Batch;

#[rustfmt::skip] // on one line, of which rustc shows a part
#[expect(clippy::type_complexity, reason = "each demand that is not met leaves the whole open")]
mod wholes {
    use super::{Batch, Carries, Collate, Collator, Dataset, Gives, Load, Loads, Place, Reads, Returns, Sample, Sends, Shares, Taker};

    /// Gives the loader back, if those who load can have the dataset.
    pub fn shares<D: Dataset, N, S, M, P: Place<M>, C: Collate<Sample<R, D>>, R: Reads<D>, E, W, X>(load: Load<D, N, S, M, P, C, R, E>) -> <M as Shares<D, W>>::Held<<M as Sends<D, X>>::Held<Load<D, N, S, M, P, C, R, E>>> where M: Shares<D, W>, M: Sends<D, X> {
        <M as Shares<D, W>>::hold(<M as Sends<D, X>>::hold(load))
    }

    /// Likewise, if those who collate can have the function.
    pub fn collates<D: Dataset, N, S, M, P: Place<M>, C: Collate<Sample<R, D>>, R: Reads<D>, E, Y, Z>(load: Load<D, N, S, M, P, C, R, E>) -> <Collator<P, M> as Shares<C, Y>>::Held<<Collator<P, M> as Carries<C, Z>>::Held<Load<D, N, S, M, P, C, R, E>>> where Collator<P, M>: Shares<C, Y>, Collator<P, M>: Carries<C, Z> {
        <Collator<P, M> as Shares<C, Y>>::hold(<Collator<P, M> as Carries<C, Z>>::hold(load))
    }

    /// Likewise, if samples can come from those who load them.
    pub fn gives<D: Dataset, N, S, M, P: Place<M>, C: Collate<Sample<R, D>>, R: Reads<D>, E, V, W>(load: Load<D, N, S, M, P, C, R, E>) -> <Loads<P, M> as Gives<Sample<R, D>, V>>::Held<<Loads<P, M> as Returns<Sample<R, D>, W>>::Held<Load<D, N, S, M, P, C, R, E>>> where Loads<P, M>: Gives<Sample<R, D>, V>, Loads<P, M>: Returns<Sample<R, D>, W> {
        <Loads<P, M> as Gives<Sample<R, D>, V>>::hold(<Loads<P, M> as Returns<Sample<R, D>, W>>::hold(load))
    }

    /// Likewise, if samples can go to those who collate them, and batches can come from there.
    pub fn takes<D: Dataset, N, S, M, P: Place<M>, C: Collate<Sample<R, D>>, R: Reads<D>, E, X, Y, Z>(load: Load<D, N, S, M, P, C, R, E>) -> <Taker<P, M> as Sends<Sample<R, D>, X>>::Held<<Collator<P, M> as Gives<Batch<C, R, D>, Y>>::Held<<Collator<P, M> as Returns<Batch<C, R, D>, Z>>::Held<Load<D, N, S, M, P, C, R, E>>>> where Taker<P, M>: Sends<Sample<R, D>, X>, Collator<P, M>: Gives<Batch<C, R, D>, Y>, Collator<P, M>: Returns<Batch<C, R, D>, Z> {
        <Taker<P, M> as Sends<Sample<R, D>, X>>::hold(<Collator<P, M> as Gives<Batch<C, R, D>, Y>>::hold(<Collator<P, M> as Returns<Batch<C, R, D>, Z>>::hold(load)))
    }
}
pub use wholes::*;

/// The stream of a loader.
#[track_caller]
pub fn loader<L: Build>(load: L) -> Loaded<L::Chain, L::Marking> {
    load.chain()
}

/// `e @`.
pub fn loader_branded<B, L: Marks<B>>(load: L) -> L::Marked {
    load.marked()
}
