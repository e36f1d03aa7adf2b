//! The stages that a data loader is composed of.
//!
//! ```text
//! epochs |> try_map |> marker::insert_periodic |> flatten               one position after the other
//!        |> partition |> filter                                        batches of positions
//!        |> order::save |> loading stage |> order::load |> try_map     batches
//! ```
//!
//! With `collate_map` samples are loaded above the `partition`, and collated below it, each in an order of its own.
use super::collate::Collate;
use super::dataset::Dataset;
use super::epochs::{Epochs, Futile};
use super::loaded::{Length, Loaded};
use super::loader::{Apart, Batchsize, EpochEnd, Load, Marked, Together, Unmarked};
use super::mode::Mode;
use super::reads::Reads;
use super::sampler::Sampler;
use super::work::{CollateBatch, LoadBatch, LoadSample, Part};
use crate::error::Site;
use crate::func::{Action, Func};
use crate::locked::Locked;
use crate::marker::{self, After, Any, Mark, OnConsumed, Or};
use crate::pipe::Pipe;
use crate::post::Post;
use crate::stage::marker::{InsertPeriodic, branded, insert_periodic};
use crate::stage::{Filter, Flatten, Iter, Partition, TryMap, flatten, partition};
use std::convert::Infallible;
use std::marker::PhantomData;

/// A data loader whose options fit one another.
#[diagnostic::on_unimplemented(
    message = "this data loader can't be built",
    label = "its options don't fit one another"
)]
pub trait Build {
    /// The stages.
    type Chain: Pipe;
    /// Whether there are markers.
    type Marking;
    #[doc(hidden)]
    fn chain(self) -> Loaded<Self::Chain, Self::Marking>;
}

/// Gives on what is `Ok`.
#[derive(Clone, Copy, Debug)]
pub struct Pass;

impl<T, E> Func<Result<T, E>> for Pass {
    type Out = Result<T, E>;

    fn call_mut(&mut self, result: Result<T, E>) -> Result<T, E> {
        result
    }

    fn call(&self, result: Result<T, E>) -> Result<T, E> {
        result
    }
}

fn passed<P: Pipe>(up: P, site: Site) -> TryMap<P, Pass> {
    TryMap { up, f: Pass, failed: None, post: Post::at(site) }
}

/// Keeps batches of at least so many samples.
#[derive(Clone, Copy, Debug)]
pub struct Full(usize);

impl<T> Func<&Vec<T>> for Full {
    type Out = bool;

    fn call_mut(&mut self, batch: &Vec<T>) -> bool {
        self.call(batch)
    }

    fn call(&self, batch: &Vec<T>) -> bool {
        batch.len() >= self.0
    }
}

/// Whether the stream has markers at the ends of epochs.
pub trait Marking {
    /// The marker's name.
    type Brand;
    /// The stream with them or without.
    type Over<P: Pipe<Marker = EpochMark<Self::Brand>>>: Pipe<Item = P::Item, Tags = P::Tags>;
    #[doc(hidden)]
    fn over<P: Pipe<Marker = EpochMark<Self::Brand>>>(up: P, site: Site) -> Self::Over<P>;
}

type EpochMark<B> = Or<Mark<B>, Infallible>;

impl<B> Marking for Marked<B> {
    type Brand = B;
    type Over<P: Pipe<Marker = EpochMark<B>>> = P;

    fn over<P: Pipe<Marker = EpochMark<B>>>(up: P, _: Site) -> P {
        up
    }
}

impl Marking for Unmarked {
    type Brand = ();
    type Over<P: Pipe<Marker = EpochMark<()>>> = OnConsumed<P, Nothing, Any>;

    fn over<P: Pipe<Marker = EpochMark<()>>>(up: P, site: Site) -> Self::Over<P> {
        OnConsumed { up, f: Nothing, post: Post::at(site), place: PhantomData }
    }
}

/// Done when a marker passes that nobody asked for.
#[derive(Clone, Copy, Debug)]
pub struct Nothing;

impl Action for Nothing {
    fn act_mut(&mut self) {}

    fn act(&self) {}
}

/// One position after the other, and a marker after each epoch's last.
type Positions<S, E> =
    Locked<Flatten<InsertPeriodic<TryMap<Locked<Iter<Epochs<<S as Sampler>::Epochs>>>, Pass>, <E as Marking>::Brand>>>;
/// What is above, in batches, with the markers that were asked for.
type Batches<P, E> = <E as Marking>::Over<Filter<Partition<P, After>, Full>>;

/// What decides which positions make a batch.
struct Cut {
    batchsize: usize,
    epoch_end: EpochEnd,
    site: Site,
}

impl Cut {
    #[track_caller]
    fn positions<S: Sampler, E: Marking>(
        &self,
        title: &'static str,
        epochs: S::Epochs,
        futile: Option<Futile>,
    ) -> Positions<S, E> {
        let at = |title| self.site.part("sampler", title);
        let epochs = Locked::new(Iter::new(Epochs::new(epochs, futile)), Post::at(at(title)));
        flatten(branded(insert_periodic(passed(epochs, at("load: epochs")))))
    }

    #[track_caller]
    fn batches<P, E>(&self, up: P) -> Batches<P, E>
    where
        P: Pipe<Tags = (), Marker = EpochMark<E::Brand>>,
        E: Marking,
    {
        let within_epochs = self.epoch_end != EpochEnd::Ignore;
        let batches = partition(up, self.batchsize).markers(marker::After).split_on_marker(within_epochs);
        let least = if self.epoch_end == EpochEnd::DropLast { self.batchsize } else { 0 };
        let title = match self.epoch_end {
            EpochEnd::Ignore => "load: epoch_end (ignore)",
            EpochEnd::KeepLast => "load: epoch_end (keep_last)",
            EpochEnd::DropLast => "load: epoch_end (drop_last)",
        };
        let site = self.site.part("epoch_end", title);
        E::over(Filter { up: batches, pred: Full(least), given: 0, post: Post::at(site) }, site)
    }

    /// How many batches there are, if `epochs` epochs (without, endless ones) have `samples` each.
    fn count(&self, samples: usize, epochs: Option<usize>) -> Length {
        let Some(epochs) = epochs else { return Length::Endless };
        let batches = match self.epoch_end {
            EpochEnd::Ignore => samples.checked_mul(epochs).map(|samples| samples.div_ceil(self.batchsize)),
            EpochEnd::KeepLast => samples.div_ceil(self.batchsize).checked_mul(epochs),
            EpochEnd::DropLast => (samples / self.batchsize).checked_mul(epochs),
        };
        batches.map_or(Length::Unknown, Length::Left)
    }

    /// Why the first batch would never come, if the epochs, of so many samples each, don't end.
    fn futile(&self, samples: usize) -> Option<Futile> {
        match (samples, self.epoch_end) {
            (0, _) => Some(Futile::Empty),
            (_, EpochEnd::DropLast) if samples < self.batchsize => Some(Futile::TooShort(samples)),
            _ => None,
        }
    }

    /// The epochs as positions, and how many batches they give.
    #[track_caller]
    fn sample<S: Sampler, E: Marking>(&self, sampler: S, len: usize) -> (Positions<S, E>, Length) {
        let (title, samples) = (sampler.title(), sampler.epoch_len(len));
        let epochs = sampler.over(len);
        let (least, most) = epochs.size_hint();
        let length = match samples {
            Some(samples) if most.is_none_or(|most| most == least) => self.count(samples, most),
            _ => Length::Unknown,
        };
        let futile = samples.filter(|_| matches!(length, Length::Endless)).and_then(|samples| self.futile(samples));
        (self.positions::<S, E>(title, epochs, futile), length)
    }
}

impl<D, S, M, C, R, E> Build for Load<D, Batchsize, S, M, Together, C, R, E>
where
    D: Dataset,
    S: Sampler,
    R: Reads<D>,
    C: Collate<R::Sample>,
    E: Marking,
    M: Mode<Batches<Positions<S, E>, E>, LoadBatch<D, R, C>>,
{
    type Chain = TryMap<M::Stage, Pass>;
    type Marking = E;

    #[track_caller]
    fn chain(self) -> Loaded<Self::Chain, E> {
        let Load { dataset, batchsize: Batchsize(batchsize), sampler, map, collate, epoch_end, site, .. } = self;
        let cut = Cut { batchsize, epoch_end, site };
        let (positions, length) = cut.sample::<S, E>(sampler, dataset.len());
        let batches = cut.batches::<_, E>(positions);
        let keeps_all = map.keeps_all();
        let batches = map.over(batches, LoadBatch { dataset, collate, reads: PhantomData }, 1, site);
        Loaded::new(passed(batches, Part::passed(site)), length, keeps_all)
    }
}

impl<D, S, M, K, C, R, E> Build for Load<D, Batchsize, S, M, Apart<K>, C, R, E>
where
    D: Dataset,
    S: Sampler,
    R: Reads<D>,
    C: Collate<R::Sample>,
    E: Marking,
    M: Mode<Positions<S, E>, LoadSample<D, R>>,
    K: Mode<Batches<M::Stage, E>, CollateBatch<R::Sample, C>>,
{
    type Chain = TryMap<K::Stage, Pass>;
    type Marking = E;

    #[track_caller]
    fn chain(self) -> Loaded<Self::Chain, E> {
        let Load { dataset, batchsize: Batchsize(batchsize), sampler, map, place, collate, epoch_end, site, .. } = self;
        let cut = Cut { batchsize, epoch_end, site };
        let (positions, length) = cut.sample::<S, E>(sampler, dataset.len());
        let keeps_all = map.keeps_all() && place.0.keeps_all();
        let samples = map.over(positions, LoadSample { dataset, reads: PhantomData }, batchsize, site);
        let batches = cut.batches::<_, E>(samples);
        let batches = place.0.over(batches, CollateBatch { collate, samples: PhantomData }, 1, site);
        Loaded::new(passed(batches, Part::passed(site)), length, keeps_all)
    }
}
