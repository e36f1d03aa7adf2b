//! Who runs a loading stage: whoever pulls, threads, or processes. The order of the batches is the sampler's in each case.
use super::work::Work;
use crate::error::Site;
use crate::func::Func;
use crate::locked::Locked;
use crate::pipe::Pipe;
use crate::pool::spawn::Detached;
use crate::post::Post;
use crate::stage::Map;
use crate::stage::order::{self, Ordered, Save};
use crate::stage::thread::{Queue, queue_at};
use std::num::NonZero;
use std::thread::{Scope, available_parallelism};

/// Who does the work `F` on the items of `P`.
#[diagnostic::on_unimplemented(
    message = "samples can't be loaded in this way",
    label = "not a way to load: `serial`, `thread(workers = n)` or `process(workers = n)`"
)]
pub trait Mode<P: Pipe, F: Work<P::Item>> {
    /// What stands for it in the chain.
    type Stage: Pipe<Item = F::Out, Marker = P::Marker, Tags = P::Tags>;
    /// `batch` is how many items make one batch.
    #[doc(hidden)]
    fn over(self, up: P, work: F, batch: usize, site: Site) -> Self::Stage;
    /// Whether each item comes out again, unless the pipeline fails.
    #[doc(hidden)]
    fn keeps_all(&self) -> bool {
        true
    }
}

/// `serial`: whoever pulls does it. A [`thread::queue`](crate::thread::queue) below may have several.
#[derive(Clone, Copy, Debug)]
pub struct Serial;

impl<P: Pipe, F: Work<P::Item>> Mode<P, F> for Serial {
    type Stage = Map<P, F>;

    fn over(self, up: P, work: F, _: usize, site: Site) -> Map<P, F> {
        Map { up, f: work, post: Post::at(F::PART.serial(site)) }
    }
}

/// `thread(workers, maxsize)`: threads of this process do it.
///
/// ```
/// use tinypl::dataloader::{self, sampler};
/// use tinypl::Pipeline;
///
/// let loader = dataloader::load(vec![1, 2, 3]).batchsize(2).map(dataloader::thread().workers(2).maxsize(8));
/// let loader = loader.sampler(sampler::sequential().epochs(1)).build();
/// assert_eq!(Pipeline::new(loader).collect::<Vec<_>>(), [vec![1, 2], vec![3]]);
/// ```
pub fn thread() -> Threads {
    Threads { room: Room::new(), spawner: Detached }
}

/// What [`thread`](thread()) gives, for the options `map` and `collate_map`.
#[derive(Clone, Copy, Debug)]
#[must_use = "it does nothing until a loader has it"]
pub struct Threads<S = Detached> {
    room: Room,
    spawner: S,
}

impl<S> Threads<S> {
    /// How many threads. Left out: as many as the machine runs at once.
    ///
    /// # Panics
    /// If `n` is 0.
    #[track_caller]
    pub fn workers(mut self, n: usize) -> Self {
        self.room.set_workers(n);
        self
    }

    /// How many results are prefetched at most. Left out: 2 batches for each worker; where samples are loaded one by one, 2
    /// batches or 2 samples for each worker, whichever is more.
    ///
    /// # Panics
    /// If `n` is 0.
    #[track_caller]
    pub fn maxsize(mut self, n: usize) -> Self {
        self.room.set_maxsize(n);
        self
    }

    /// Runs the threads in a scope: then the dataset may be borrowed.
    ///
    /// ```
    /// use tinypl::pipeline;
    /// use tinypl::dataloader::sampler;
    ///
    /// let words = ["not", "one", "is", "copied"].map(String::from);
    /// let lengths = std::thread::scope(|s| {
    ///     let length = tinypl::dataloader::from_fn(words.len(), |i| words[i].len());
    ///     pipeline! {
    ///         dataloader::load(length, batchsize = 4, sampler = sampler::sequential().epochs(1),
    ///                          map = thread(workers = 2, scope = s))
    ///         |> collect::<Vec<_>>()
    ///     }
    /// });
    /// assert_eq!(lengths, [[3, 3, 2, 6]]);
    /// ```
    pub fn scope<'s, 'e>(self, scope: &'s Scope<'s, 'e>) -> Threads<&'s Scope<'s, 'e>> {
        Threads { room: self.room, spawner: scope }
    }
}

impl<P, F> Mode<P, F> for Threads
where
    P: Pipe<Item: Send> + Send + 'static,
    F: Work<P::Item, Out: Send> + Send + Sync + 'static,
{
    type Stage = Restored<Worked<'static, P, F, Detached>>;

    #[track_caller]
    fn over(self, up: P, work: F, batch: usize, site: Site) -> Self::Stage {
        let site = F::PART.threads(site);
        in_order(up, self.room.under_way(batch), |up| {
            let queue = queue_at(Map { up, f: work, post: Post::at(site) }, Post::at(site));
            queue.workers(self.room.workers).maxsize(self.room.maxsize(batch))
        })
    }
}

impl<'s, 'e, P, F> Mode<P, F> for Threads<&'s Scope<'s, 'e>>
where
    P: Pipe<Item: Send> + Send + 's,
    F: Work<P::Item, Out: Send> + Send + Sync + 's,
{
    type Stage = Restored<Worked<'s, P, F, &'s Scope<'s, 'e>>>;

    #[track_caller]
    fn over(self, up: P, work: F, batch: usize, site: Site) -> Self::Stage {
        let site = F::PART.threads(site);
        in_order(up, self.room.under_way(batch), |up| {
            let queue = queue_at(Map { up, f: work, post: Post::at(site) }, Post::at(site));
            queue.workers(self.room.workers).maxsize(self.room.maxsize(batch)).scope(self.spawner)
        })
    }
}

/// A queue's results, in an order saved above it.
type Worked<'a, P, F, S> =
    Queue<'a, <F as Func<<P as Pipe>::Item>>::Out, <P as Pipe>::Marker, (Ordered<()>, <P as Pipe>::Tags), S>;
/// In order again.
pub(super) type Restored<P> = Locked<order::Load<P, ()>>;

/// `order::save |> stage |> order::load`
#[track_caller]
pub(super) fn in_order<P: Pipe, Q: Pipe<Tags = (Ordered<()>, P::Tags)>>(
    up: P,
    under_way: usize,
    stage: impl FnOnce(Save<P, ()>) -> Q,
) -> Restored<Q> {
    let mut save = order::save(up, under_way);
    let order = save.handle();
    order::load(stage(save), &order)
}

/// How many workers, and what they may be ahead.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    pub(super) workers: usize,
    maxsize: Option<usize>,
}

impl Room {
    pub(super) fn new() -> Self {
        Self { workers: available_parallelism().map_or(1, NonZero::get), maxsize: None }
    }

    #[track_caller]
    pub(super) fn set_workers(&mut self, n: usize) {
        assert!(n > 0, "`workers` must be at least 1");
        self.workers = n;
    }

    #[track_caller]
    pub(super) fn set_maxsize(&mut self, n: usize) {
        assert!(n > 0, "`maxsize` must be at least 1");
        self.maxsize = Some(n);
    }

    /// Of a queue's results, of which `batch` make one batch.
    pub(super) fn maxsize(&self, batch: usize) -> usize {
        self.maxsize.unwrap_or_else(|| self.workers.max(batch).saturating_mul(2))
    }

    /// What the queue holds ready, and what its workers are at: the order is never what holds them up.
    pub(super) fn under_way(&self, batch: usize) -> usize {
        self.maxsize(batch).saturating_add(self.workers)
    }
}
