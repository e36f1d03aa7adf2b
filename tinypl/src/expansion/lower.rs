//! Parts of stages that the macro puts together itself, with its checks between them.
use super::closure::{Makes, TakesState};
use crate::locked::Locked;
use crate::marker;
use crate::pipe::Pipe;
use crate::pipeline::{self, Pipeline};
use crate::pool::spawn::Detached;
use crate::stage::thread::{self, MapInit, Queue};
use crate::stage::{Each, Map, Share, order};

/// The map part of `thread::map`.
#[track_caller]
pub fn named<P: Pipe, F: Fn(P::Item) -> R, R>(up: P, f: F) -> Map<P, F> {
    thread::named(up, f)
}

/// The each part of `thread::each`.
#[track_caller]
pub fn named_each<P: Pipe, F: Fn(&P::Item)>(up: P, f: F) -> Each<P, F> {
    thread::named_each(up, f)
}

/// The part of `thread::map_init` that the workers run.
#[track_caller]
pub fn named_init<P: Pipe, I: Makes<S, K>, F: TakesState<S, P::Item, R, L>, S, R, K, L>(
    up: P,
    init: I,
    f: F,
) -> MapInit<P, I::Held, F::Held> {
    thread::named_init(up, init.hold(), f.hold())
}

/// The queue part of the stage `name`.
#[track_caller]
pub fn queue<'a, P>(up: P, name: &'static str) -> Queue<'a, P::Item, P::Marker, P::Tags, Detached>
where
    P: Pipe<Item: Send> + Send + Sync + 'a,
{
    thread::queue_as(up, name)
}

/// `o @`.
pub fn order_branded<B, P: Pipe>(stage: order::Save<P, ()>) -> order::Save<P, B> {
    order::branded(stage)
}

/// `m @`.
pub fn marker_branded<B, P: Pipe<Tags = ()>>(stage: marker::InsertPeriodic<P, ()>) -> marker::InsertPeriodic<P, B> {
    crate::stage::marker::branded(stage)
}

/// The track `name`, from which others pull.
#[track_caller]
pub fn shared<P: Pipe>(up: P, name: &'static str) -> Locked<Share<P>> {
    crate::stage::share_named(up, name)
}

/// A shared track, for a track that pulls from it.
#[track_caller]
pub fn track<P: Pipe>(track: &Pipeline<Locked<Share<P>>>) -> Locked<Share<P>> {
    pipeline::track(track)
}
