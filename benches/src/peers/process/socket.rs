//! By hand: a socket pair for each worker; an item is a message of its length and its postcard.

use super::Worker;
use crate::jobs::{ADD_ONE, Digest, Job, Travels};
use crate::work::sum;
use crossbeam_channel::{Sender, bounded};
use std::io::{self, BufReader, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::{Mutex, PoisonError};
use std::thread;

/// One end of a socket pair.
#[derive(Debug)]
struct Messages {
    socket: UnixStream,
    /// Small messages that came together are read together.
    incoming: BufReader<UnixStream>,
    buffer: Vec<u8>,
}

impl Messages {
    fn new(socket: UnixStream) -> Self {
        let incoming = BufReader::new(socket.try_clone().expect("a descriptor"));
        Self { socket, incoming, buffer: Vec::new() }
    }

    /// Sends a message, by one call of `write`.
    fn send(&mut self, value: &impl Travels) {
        self.buffer.clear();
        self.buffer.extend([0; 4]);
        let mut message = postcard::to_extend(value, std::mem::take(&mut self.buffer)).expect("it can be encoded");
        let length = u32::try_from(message.len() - 4).expect("a short message");
        message[..4].copy_from_slice(&length.to_le_bytes());
        self.socket.write_all(&message).expect("the other end lives");
        self.buffer = message;
    }

    /// The next message; nothing, when the other end has closed.
    fn receive<T: Travels>(&mut self) -> Option<T> {
        let mut length = [0; 4];
        match self.incoming.read_exact(&mut length) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return None,
            read => read.expect("the socket can be read"),
        }
        self.buffer.resize(u32::from_le_bytes(length) as usize, 0);
        self.incoming.read_exact(&mut self.buffer).expect("a whole message");
        Some(postcard::from_bytes(&self.buffer).expect("it can be decoded"))
    }
}

/// The worker's side.
pub(super) fn work<I: Travels, O: Travels>(job: Job<I, O>) {
    let socket = io::stdin().as_fd().try_clone_to_owned().expect("a descriptor");
    let mut parent = Messages::new(UnixStream::from(socket));
    while let Some(x) = parent.receive() {
        parent.send(&(job.f)(x));
    }
}

fn start<I, O>(job: Job<I, O>) -> (Messages, Worker) {
    let (ours, its) = UnixStream::pair().expect("a socket pair");
    (Messages::new(ours), Worker::start("socket", job, &[], OwnedFd::from(its).into()))
}

/// A thread for each worker hands out items one by one: the next when the result has come.
#[inline(never)]
pub fn one_in_flight<I: Travels, O: Digest>(n: u64, workers: usize, maxsize: usize, job: Job<I, O>) -> u64 {
    threads(n, workers, maxsize, job, 1)
}

/// A thread for each worker keeps several items on their way. They have to be small: all of them wait in the socket at once.
#[inline(never)]
pub fn several_in_flight<I: Travels, O: Digest>(n: u64, workers: usize, maxsize: usize, job: Job<I, O>) -> u64 {
    threads(n, workers, maxsize, job, (maxsize / workers).max(1))
}

fn threads<I: Travels, O: Digest>(n: u64, workers: usize, maxsize: usize, job: Job<I, O>, in_flight: usize) -> u64 {
    let source = Mutex::new(0..n);
    let next = || source.lock().unwrap_or_else(PoisonError::into_inner).next().map(job.make);
    let (tx, rx) = bounded(maxsize);
    let serve = |(mut worker, process): (Messages, Worker), tx: Sender<O>| {
        let mut on_their_way = 0;
        loop {
            while on_their_way < in_flight
                && let Some(x) = next()
            {
                worker.send(&x);
                on_their_way += 1;
            }
            if on_their_way == 0 {
                break;
            }
            on_their_way -= 1;
            tx.send(worker.receive().expect("a result")).expect("the receiver lives");
        }
        drop(worker);
        drop(process);
    };
    // All start before one is served.
    let started: Vec<_> = (0..workers).map(|_| start(job)).collect();
    thread::scope(|scope| {
        for worker in started {
            let (tx, serve) = (tx.clone(), &serve);
            scope.spawn(move || serve(worker, tx));
        }
        drop(tx);
        rx.into_iter().fold(0, |digest, y| sum(digest, y.digest()))
    })
}

/// Two threads for each worker, one of which sends items of any size while the other receives results.
#[inline(never)]
pub fn sender_and_receiver<I: Travels, O: Digest>(n: u64, workers: usize, maxsize: usize, job: Job<I, O>) -> u64 {
    let source = Mutex::new(0..n);
    let next = || source.lock().unwrap_or_else(PoisonError::into_inner).next().map(job.make);
    let (tx, rx) = bounded(maxsize);
    let started: Vec<_> = (0..workers).map(|_| start(job)).collect();
    thread::scope(|scope| {
        for (mut items, process) in started {
            let (tx, next) = (tx.clone(), &next);
            let mut results = Messages::new(items.socket.try_clone().expect("a descriptor"));
            let (on_its_way, arrived) = bounded(maxsize / workers);
            scope.spawn(move || {
                while on_its_way.send(()).is_ok()
                    && let Some(x) = next()
                {
                    items.send(&x);
                }
                items.socket.shutdown(std::net::Shutdown::Write).expect("the worker lives");
            });
            scope.spawn(move || {
                while let Some(y) = results.receive() {
                    tx.send(y).expect("the receiver lives");
                    let () = arrived.recv().expect("it was on its way");
                }
                drop(process);
            });
        }
        drop(tx);
        rx.into_iter().fold(0, |digest: u64, y: O| sum(digest, y.digest()))
    })
}

/// One worker, and no thread: an item there, its result back.
#[inline(never)]
pub fn round_trips(n: u64) -> u64 {
    let (mut worker, _process) = start(ADD_ONE);
    let mut digest = 0;
    for x in 0..n {
        worker.send(&x);
        digest = sum(digest, worker.receive().expect("a result"));
    }
    drop(worker);
    digest
}

/// One worker that a thread serves: items come to it, and results go back, through channels.
#[inline(never)]
pub fn round_trips_through_a_thread(n: u64) -> u64 {
    let (items, rx) = bounded::<u64>(64);
    let (tx, results) = bounded::<u64>(64);
    let (mut worker, _process) = start(ADD_ONE);
    let server = thread::spawn(move || {
        for x in rx {
            worker.send(&x);
            tx.send(worker.receive().expect("a result")).expect("the receiver lives");
        }
    });
    let mut digest = 0;
    for x in 0..n {
        items.send(x).expect("the thread lives");
        digest = sum(digest, results.recv().expect("the thread lives"));
    }
    drop(items);
    server.join().expect("no panic");
    digest
}

/// Starts workers, gives each an item, and ends them; `n` times.
#[inline(never)]
pub fn start_and_end(n: u64, workers: usize) -> u64 {
    let mut digest = 0;
    for _ in 0..n {
        let mut started: Vec<_> = (0..workers).map(|_| start(ADD_ONE)).collect();
        for ((worker, _), x) in started.iter_mut().zip(0_u64..) {
            worker.send(&x);
        }
        for (mut worker, process) in started {
            digest = sum(digest, worker.receive().expect("a result"));
            drop(worker);
            drop(process);
        }
    }
    digest
}
