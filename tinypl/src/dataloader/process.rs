//! `process(workers, maxsize)`: the work in worker processes.
use super::mode::{Mode, Restored, Room, in_order};
use super::work::Work;
use crate::crew::{MapWith, OnDeath, pack};
use crate::error::Site;
use crate::pipe::Pipe;
use crate::pool::OnWorkerError;
use crate::pool::spawn::Detached;
use crate::post::Post;
use crate::stage::order::Ordered;
use crate::stage::process::{Workers, workers_at};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// `process(workers, maxsize)`: worker processes do it. The dataset goes to each of them once, when it starts.
///
/// ```
/// use tinypl::dataloader::{self, sampler};
/// use tinypl::Pipeline;
///
/// let loader = dataloader::load(vec![1, 2, 3]).batchsize(2).map(dataloader::process().workers(2));
/// let loader = loader.sampler(sampler::sequential().epochs(1)).build();
/// assert_eq!(Pipeline::new(loader).collect::<Vec<_>>(), [vec![1, 2], vec![3]]);
/// ```
///
/// The dataset is `Serialize` and `Deserialize`, and `collate` and the functions of [`from_fn`](super::from_fn()) and
/// [`augment`](super::augment()) capture nothing:
///
/// ```compile_fail,E0080
/// use tinypl::{dataloader, pipeline};
///
/// let k = 3;
/// let samples = dataloader::from_fn(10, move |index| k * index);      // it captures `k`
/// let batches = pipeline! { dataloader::load(samples, batchsize = 2, map = process(workers = 2)) };
/// # drop(batches);
/// ```
pub fn process() -> Processes {
    Processes {
        room: Room::new(),
        start_timeout: None,
        end_timeout: None,
        item_timeout: None,
        on_worker_error: OnWorkerError::default(),
        on_death: OnDeath::default(),
    }
}

/// What [`process`](process()) gives, for the options `map` and `collate_map`.
#[derive(Clone, Copy, Debug)]
#[must_use = "it does nothing until a loader has it"]
pub struct Processes {
    room: Room,
    start_timeout: Option<Duration>,
    end_timeout: Option<Duration>,
    item_timeout: Option<Duration>,
    on_worker_error: OnWorkerError,
    on_death: OnDeath,
}

impl Processes {
    /// How many processes. Left out: as many as the machine runs at once.
    ///
    /// # Panics
    /// If `n` is 0.
    #[track_caller]
    pub fn workers(mut self, n: usize) -> Self {
        self.room.set_workers(n);
        self
    }

    /// How many results are prefetched at most, as of [`Threads::maxsize`](super::Threads::maxsize).
    ///
    /// # Panics
    /// If `n` is 0.
    #[track_caller]
    pub fn maxsize(mut self, n: usize) -> Self {
        self.room.set_maxsize(n);
        self
    }

    /// How long a worker may take to get ready, and the dataset on its way. Left out: 30 s.
    pub fn start_timeout(self, limit: Duration) -> Self {
        Self { start_timeout: Some(limit), ..self }
    }

    /// How long a stop waits for workers who are still at their batch. Then they are killed. Left out: 10 s.
    pub fn end_timeout(self, limit: Duration) -> Self {
        Self { end_timeout: Some(limit), ..self }
    }

    /// How long a batch (with `collate_map`, a sample) may take. Then its worker is killed, and it is treated as one that a
    /// worker [died](Self::on_death) of. Left out: as long as it takes.
    pub fn item_timeout(self, limit: Duration) -> Self {
        Self { item_timeout: Some(limit), ..self }
    }

    /// What becomes of a panic in a worker. Left out: [`OnWorkerError::Forward`].
    pub fn on_worker_error(self, policy: OnWorkerError) -> Self {
        Self { on_worker_error: policy, ..self }
    }

    /// What becomes of the batch (with `collate_map`, the sample) that a worker was at when it died. Left out:
    /// [`OnDeath::Fail`], with an error that names the samples.
    pub fn on_death(self, policy: OnDeath) -> Self {
        Self { on_death: policy, ..self }
    }
}

impl<P, F> Mode<P, F> for Processes
where
    P: Pipe<Item: Serialize + DeserializeOwned + Send> + Send + 'static,
    F: Work<P::Item, Out: Serialize + DeserializeOwned + Send> + Serialize + DeserializeOwned + 'static,
{
    type Stage = Restored<Workers<'static, F::Out, P::Marker, (Ordered<()>, P::Tags), Detached>>;

    #[track_caller]
    fn over(self, up: P, work: F, batch: usize, site: Site) -> Self::Stage {
        let site = F::PART.processes(site);
        in_order(up, self.room.under_way(batch), |up| {
            let stage = workers_at(up, MapWith { f: run::<F, P::Item> }, pack(&work), Post::at(site));
            let mut stage =
                stage.workers(self.room.workers).maxsize(self.room.maxsize(batch)).about(about::<F, P::Item>);
            if let Some(limit) = self.start_timeout {
                stage = stage.start_timeout(limit);
            }
            if let Some(limit) = self.end_timeout {
                stage = stage.end_timeout(limit);
            }
            if let Some(limit) = self.item_timeout {
                stage = stage.item_timeout(limit);
            }
            stage.on_worker_error(self.on_worker_error).on_death(self.on_death)
        })
    }

    fn keeps_all(&self) -> bool {
        self.on_death != OnDeath::Skip
    }
}

fn run<F: Work<A>, A>(work: &F, item: A) -> F::Out {
    work.call(item)
}

/// What an encoded item is, for errors.
fn about<F: Work<A>, A: DeserializeOwned>(sent: &[u8]) -> Option<String> {
    postcard::from_bytes(sent).ok().map(|item| F::about(&item))
}
