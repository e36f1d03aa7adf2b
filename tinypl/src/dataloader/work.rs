//! What a loading stage does with an item.
use super::collate::Collate;
use super::dataset::Dataset;
use super::error::SampleError;
use super::position::{Position, list};
use super::reads::Reads;
use crate::error::{Site, naming};
use crate::func::Func;
#[cfg(all(feature = "process", target_os = "linux"))]
use serde::{Deserialize, Serialize};
use std::fmt;
use std::marker::PhantomData;

/// A function with names for its items: what an error tells of one that killed its worker.
pub trait Work<A>: Func<A> {
    #[doc(hidden)]
    fn about(item: &A) -> String;
    /// Which part of the loader it is, and what it is called: `serial`, by threads, and by processes.
    #[doc(hidden)]
    const PART: Part;
}

/// A part that may be in several hands.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    of: &'static str,
    serial: &'static str,
    threads: &'static str,
    #[cfg_attr(
        not(all(feature = "process", target_os = "linux")),
        expect(dead_code, reason = "there are no processes")
    )]
    processes: &'static str,
}

impl Part {
    const MAP: Self = Self {
        of: "map",
        serial: "load: map (serial)",
        threads: "load: map (thread)",
        processes: "load: map (process)",
    };
    const COLLATE: Self = Self {
        of: "collate",
        serial: "load: collate (serial)",
        threads: "load: collate (thread)",
        processes: "load: collate (process)",
    };

    pub(super) fn serial(self, site: Site) -> Site {
        site.part(self.of, self.serial)
    }

    pub(super) fn threads(self, site: Site) -> Site {
        site.part(self.of, self.threads)
    }

    #[cfg(all(feature = "process", target_os = "linux"))]
    pub(super) fn processes(self, site: Site) -> Site {
        site.part(self.of, self.processes)
    }

    /// A stage that passes on what loading failed with.
    pub(super) fn passed(site: Site) -> Site {
        site.part(Self::MAP.of, "load: batches")
    }
}

// `Func` has a way for one puller and one for several; here they are the same
macro_rules! work {
    ($work:ident<$($generic:ident),*>($self:ident, $item:ident: $of:ty) -> $out:ty where { $($bounds:tt)* } $run:block, $about:expr, $part:expr) => {
        impl<$($generic),*> Func<$of> for $work<$($generic),*> where $($bounds)* {
            type Out = $out;

            fn call_mut(&mut self, item: $of) -> $out {
                self.call(item)
            }

            fn call(&$self, $item: $of) -> $out $run
        }

        impl<$($generic),*> Work<$of> for $work<$($generic),*> where $($bounds)* {
            fn about(item: &$of) -> String {
                $about(item)
            }

            const PART: Part = $part;
        }

        impl<$($generic),*> fmt::Debug for $work<$($generic),*> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($work)).finish_non_exhaustive()
            }
        }
    };
}

/// Loads a batch: its samples, and what they are collated to.
#[cfg_attr(all(feature = "process", target_os = "linux"), derive(Serialize, Deserialize))]
pub struct LoadBatch<D, R, C> {
    pub(super) dataset: D,
    pub(super) collate: C,
    pub(super) reads: PhantomData<fn() -> R>,
}

work! {
    LoadBatch<D, R, C>(self, positions: Vec<Position>) -> Result<C::Batch, SampleError>
    where { D: Dataset, R: Reads<D>, C: Collate<R::Sample> }
    {
        let mut samples = Vec::with_capacity(positions.len());
        for &at in &positions {
            samples.push(R::read(&self.dataset, at)?);
        }
        Ok(naming(|| list(&positions), || self.collate.collate(samples)))
    },
    |positions: &Vec<Position>| list(positions),
    Part::MAP
}

/// Loads one sample, for a collation of its own.
#[cfg_attr(all(feature = "process", target_os = "linux"), derive(Serialize, Deserialize))]
pub struct LoadSample<D, R> {
    pub(super) dataset: D,
    pub(super) reads: PhantomData<fn() -> R>,
}

work! {
    LoadSample<D, R>(self, at: Position) -> Whose<R::Sample>
    where { D: Dataset, R: Reads<D> }
    {
        R::read(&self.dataset, at).map(|sample| (at, sample))
    },
    Position::to_string,
    Part::MAP
}

/// Collates samples that were loaded one by one.
#[cfg_attr(all(feature = "process", target_os = "linux"), derive(Serialize, Deserialize))]
pub struct CollateBatch<S, C> {
    pub(super) collate: C,
    pub(super) samples: PhantomData<fn() -> S>,
}

/// A sample and whose it is.
pub(super) type Whose<S> = Result<(Position, S), SampleError>;

work! {
    CollateBatch<S, C>(self, loaded: Vec<Whose<S>>) -> Result<C::Batch, SampleError>
    where { C: Collate<S> }
    {
        // a failure passes as an item does, so that the batches before it come first
        let loaded: Vec<(Position, S)> = loaded.into_iter().collect::<Result<_, _>>()?;
        let (positions, samples): (Vec<_>, Vec<_>) = loaded.into_iter().unzip();
        Ok(naming(|| list(&positions), || self.collate.collate(samples)))
    },
    |loaded: &Vec<Whose<S>>| list(&loaded.iter().map(position).collect::<Vec<_>>()),
    Part::COLLATE
}

fn position<S>(loaded: &Whose<S>) -> Position {
    match loaded {
        Ok((at, _)) => *at,
        Err(error) => error.at(),
    }
}
