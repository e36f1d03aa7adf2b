//! ipc-channel, as its documentation starts workers: each connects to a one-shot server, whose name it finds among its arguments.

use super::Worker;
use crate::jobs::{ADD_ONE, Digest, Job, Travels};
use crate::work::sum;
use ipc_channel::ipc::{self, IpcOneShotServer, IpcReceiver, IpcSender};
use serde::{Deserialize, Serialize};
use std::process::Stdio;

/// What a worker gets first.
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
struct Start<I: Travels, O: Travels> {
    worker: usize,
    items: IpcReceiver<I>,
    /// With the number of the worker.
    results: IpcSender<(usize, O)>,
}

/// The worker's side.
pub(super) fn work<I: Travels, O: Travels>(job: Job<I, O>, server: &str) {
    let (tx, rx) = ipc::channel::<Start<I, O>>().expect("a channel");
    IpcSender::connect(server.to_owned()).expect("the parent lives").send(tx).expect("the parent lives");
    let Start { worker, items, results } = rx.recv().expect("the parent lives");
    // An error: the parent has no more items.
    while let Ok(x) = items.recv() {
        results.send((worker, (job.f)(x))).expect("the parent lives");
    }
}

/// Workers with a channel of items each; and the one of all results.
struct Crew<I: Travels, O: Travels> {
    items: Vec<IpcSender<I>>,
    results: IpcReceiver<(usize, O)>,
    /// Waited for when the channels are closed: fields are dropped in order.
    _workers: Vec<Worker>,
}

impl<I: Travels, O: Travels> Crew<I, O> {
    fn start(job: Job<I, O>, workers: usize) -> Self {
        let (tx, results) = ipc::channel().expect("a channel");
        let starting = (0..workers).map(|_| {
            let (server, name) = IpcOneShotServer::<IpcSender<Start<I, O>>>::new().expect("a server");
            (server, Worker::start("ipc", job, &[&name], Stdio::null()))
        });
        // All start before one is waited for.
        let starting: Vec<_> = starting.collect();
        let (mut senders, mut started) = (Vec::new(), Vec::new());
        for (worker, (server, process)) in starting.into_iter().enumerate() {
            let (_, to_worker) = server.accept().expect("a worker connects");
            let (items_tx, items) = ipc::channel().expect("a channel");
            to_worker.send(Start { worker, items, results: tx.clone() }).expect("the worker lives");
            senders.push(items_tx);
            started.push(process);
        }
        Self { items: senders, results, _workers: started }
    }
}

/// Each worker has so many items on their way, and gets another one for each result.
#[inline(never)]
pub fn map<I: Travels, O: Digest>(n: u64, workers: usize, in_flight: usize, job: Job<I, O>) -> u64 {
    let crew = Crew::start(job, workers);
    let mut source = (0..n).map(job.make);
    for _ in 0..in_flight {
        for (items, x) in crew.items.iter().zip(&mut source) {
            items.send(x).expect("the worker lives");
        }
    }
    let mut digest = 0;
    for _ in 0..n {
        let (worker, y) = crew.results.recv().expect("a worker lives");
        if let Some(x) = source.next() {
            crew.items[worker].send(x).expect("the worker lives");
        }
        digest = sum(digest, y.digest());
    }
    digest
}

/// One worker: an item there, its result back.
#[inline(never)]
pub fn round_trips(n: u64) -> u64 {
    map(n, 1, 1, ADD_ONE)
}
