//! A buffer between a parent and its workers, with threads that play the workers, each at the other end of a real socket.
use super::client::Client;
use super::random::Random;
use super::region::Region;
use super::ring::SharedMemoryRingBuffer;
use super::wire::{Answer, Patience, Reply, Request, frame, unframe};
use super::{ShmError, ShmRef, sending};
use crate::crew::jam::{Asked, Stage};
use crate::crew::luggage::{self, Boarded, Luggage, Seat};
use std::any::Any;
use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

const PAGE: usize = 4096;

/// A worker's end: the buffer as it has it, what the parent keeps for it, and a way to cut the connection.
struct Worker {
    ring: SharedMemoryRingBuffer,
    seat: Seat,
    ticket: Option<Box<dyn Any + Send>>,
    socket: UnixStream,
}

impl Worker {
    fn boards(ring: &SharedMemoryRingBuffer) -> Self {
        let (encoded, luggage) = luggage::packing(|| postcard::to_stdvec(ring));
        encoded.expect("a context may hold a buffer");
        let Boarded { fds, seat, ticket } = luggage.passengers[0].board().expect("there are descriptors");
        let [region, socket]: [OwnedFd; 2] = fds.try_into().expect("the memory and a socket");
        let socket = UnixStream::from(socket);
        let region = Region::open(region, ring.capacity()).expect("as long as it was made");
        let client = Client::new(ring.keeper().ring(), region, socket.try_clone().unwrap());
        Self { ring: SharedMemoryRingBuffer::unregistered(Arc::new(client)), seat, ticket: Some(ticket), socket }
    }

    /// As by SIGKILL: from here on nothing that it does is heard of.
    fn dies(&self) {
        self.socket.shutdown(Shutdown::Both).unwrap();
    }

    /// Says something to the parent that a client would not say.
    fn says(&self, bytes: &[u8]) {
        (&self.socket).write_all(bytes).unwrap();
    }

    /// What the parent answers to what a client would not say.
    fn hears(&self) -> Answer {
        let mut received = Vec::new();
        loop {
            if let Some(Reply { answer, .. }) = unframe(&mut received).unwrap() {
                return answer;
            }
            let mut bytes = [0; 1024];
            let n = (&self.socket).read(&mut bytes).unwrap();
            assert!(n > 0, "the parent has gone");
            received.extend(&bytes[..n]);
        }
    }

    /// A result arrives in the parent.
    fn returns<T: ?Sized>(reference: ShmRef<T>) -> ShmRef<T> {
        let bytes = sending(|| postcard::to_stdvec(&reference)).unwrap();
        drop(reference);
        postcard::from_bytes(&bytes).unwrap()
    }

    /// What the worker decodes from an item. (Within one process decoding would find the parent's buffer.)
    fn receives<T: ?Sized>(reference: &ShmRef<T>) -> ShmRef<T> {
        ShmRef::borrowed(reference)
    }

    fn is_forgotten(&mut self) {
        self.ticket = None;
    }
}

#[track_caller]
fn assert_empty(ring: &SharedMemoryRingBuffer) {
    assert_eq!((ring.num_stored_items(), ring.free_ratio()), (0, 1.0));
}

/// What the broker's thread has not heard of yet, it will have.
fn wait_until(done: impl Fn() -> bool) {
    while !done() {
        thread::sleep(Duration::from_micros(100));
    }
}

/// A buffer, and a watchdog over who uses it.
fn ring(pages: usize) -> SharedMemoryRingBuffer {
    let test = thread::current().name().unwrap_or_default().to_owned();
    let (alive, dropped) = mpsc::channel::<()>();
    WATCHED.with(|watched| watched.replace(Some(alive)));
    thread::spawn(move || {
        if dropped.recv_timeout(Duration::from_secs(60)) == Err(mpsc::RecvTimeoutError::Timeout) {
            let _ = writeln!(io::stderr(), "watchdog: `{test}` has not ended within a minute");
            std::process::abort();
        }
    });
    SharedMemoryRingBuffer::new(pages * PAGE).unwrap()
}

thread_local! {
    /// Dropped when the test's thread ends.
    static WATCHED: RefCell<Option<mpsc::Sender<()>>> = const { RefCell::new(None) };
}

#[test]
fn a_result_arrives_and_is_freed_by_the_parent() {
    let ring = ring(8);
    let worker = Worker::boards(&ring);
    let made = worker.ring.write(&[1_u32, 2, 3][..]).unwrap();
    let arrived = Worker::returns(made);
    assert_eq!(*ring.read(arrived.clone()).unwrap(), [1, 2, 3]);
    assert_eq!(worker.ring.num_stored_items(), 1);
    drop(arrived);
    assert_empty(&ring);
}

#[test]
fn an_item_is_read_in_the_worker_and_passed_back() {
    let ring = ring(8);
    let worker = Worker::boards(&ring);
    let item = ring.write("text").unwrap();
    let (_, luggage) = luggage::packing(|| postcard::to_stdvec(&item).unwrap());
    let borrowed = Worker::receives(&item);
    drop(item);
    let guard = worker.ring.read(borrowed.clone()).unwrap();
    assert_eq!(&*guard, "text");
    let back = Worker::returns(borrowed.clone());
    drop(luggage);
    assert_eq!(&*ring.read(back).unwrap(), "text");
    assert_eq!(ring.num_stored_items(), 1, "the worker reads it");
    drop(guard);
    wait_until(|| ring.num_stored_items() == 0);
    assert_eq!(worker.ring.read(borrowed).unwrap_err(), ShmError::Stale);
}

#[test]
fn what_a_worker_drops_or_can_not_send_is_freed() {
    let ring = ring(8);
    let worker = Worker::boards(&ring);
    drop(worker.ring.write(&[0_u8; 100][..]).unwrap());
    drop(worker.ring.reserve::<u64>(100).unwrap());
    let unsent = worker.ring.write(&7).unwrap();
    let failed = sending(|| {
        postcard::to_stdvec(&unsent).unwrap();
        Err::<(), _>("the rest of the result can't be encoded")
    });
    assert!(failed.is_err());
    assert_eq!(worker.ring.read_owned(unsent).unwrap(), 7);
    wait_until(|| ring.free_ratio() == 1.0);
    assert_empty(&ring);
}

#[test]
fn bytes_of_a_reference_that_was_not_sent_are_a_name_alone() {
    let ring = ring(8);
    let worker = Worker::boards(&ring);
    let made = worker.ring.write(&1).unwrap();
    let bytes = postcard::to_stdvec(&made).unwrap();
    drop(made);
    wait_until(|| ring.num_stored_items() == 0);
    let stale: ShmRef<i32> = postcard::from_bytes(&bytes).unwrap();
    assert_eq!(ring.read(stale).unwrap_err(), ShmError::Stale);
}

#[test]
fn a_clone_that_stays_in_the_worker_is_borrowed_once_the_other_is_sent() {
    let ring = ring(8);
    let worker = Worker::boards(&ring);
    let stays = worker.ring.write("x").unwrap();
    let guard = worker.ring.read(stays.clone()).unwrap();
    let arrived = Worker::returns(stays.clone());
    drop(stays.clone());
    assert_eq!(&*worker.ring.read(stays.clone()).unwrap(), "x");
    drop(arrived);
    assert_eq!(&*guard, "x");
    drop(guard);
    wait_until(|| ring.num_stored_items() == 0);
    assert_eq!(worker.ring.read(stays).unwrap_err(), ShmError::Stale);
}

#[test]
fn a_worker_that_dies_between_reserve_and_commit() {
    let ring = ring(8);
    let worker = Worker::boards(&ring);
    let mut reserved = worker.ring.reserve::<u8>(2 * PAGE).unwrap();
    reserved.fill(1);
    worker.dies();
    wait_until(|| ring.free_ratio() == 1.0);
    drop(reserved);
    assert_empty(&ring);
}

#[test]
fn a_worker_that_dies_after_commit() {
    let ring = ring(8);
    let mut worker = Worker::boards(&ring);
    let on_its_way = worker.ring.write("on its way").unwrap();
    let _never_sent = worker.ring.write("never sent").unwrap();
    let bytes = sending(|| postcard::to_stdvec(&on_its_way)).unwrap();
    worker.dies();
    wait_until(|| worker.ring.write("").is_err());
    let arrived: ShmRef<str> = postcard::from_bytes(&bytes).unwrap();
    wait_until(|| ring.num_stored_items() == 2);
    worker.is_forgotten();
    assert_eq!(ring.num_stored_items(), 1);
    assert_eq!(&*ring.read(arrived).unwrap(), "on its way");
    assert_empty(&ring);
    let again: ShmRef<str> = postcard::from_bytes(&bytes).unwrap();
    assert_eq!(ring.read(again).unwrap_err(), ShmError::Stale);
}

#[test]
fn a_worker_that_dies_while_it_reads() {
    let ring = ring(8);
    let worker = Worker::boards(&ring);
    let item = ring.write("text").unwrap();
    let _guard = worker.ring.read(Worker::receives(&item)).unwrap();
    drop(item);
    assert_eq!(ring.num_stored_items(), 1);
    worker.dies();
    wait_until(|| ring.num_stored_items() == 0);
    assert_empty(&ring);
}

#[test]
fn a_worker_that_dies_while_it_waits_for_room() {
    let ring = ring(2);
    let all = ring.write(&[0_u8; 2 * PAGE][..]).unwrap();
    let worker = Worker::boards(&ring);
    thread::scope(|s| {
        let waits = s.spawn(|| worker.ring.reserve::<u8>(PAGE).map(drop));
        wait_until(|| ring.keeper().waiting() == 1);
        worker.dies();
        assert_eq!(waits.join().unwrap(), Err(ShmError::Gone));
    });
    wait_until(|| ring.keeper().waiting() == 0);
    drop(all);
    assert_empty(&ring);
}

#[test]
fn a_worker_waits_until_the_parent_makes_room() {
    let ring = ring(2);
    let all = ring.write(&[0_u8; 2 * PAGE][..]).unwrap();
    let worker = Worker::boards(&ring);
    assert!(matches!(worker.ring.try_write(&1), Err(ShmError::Full { .. })));
    thread::scope(|s| {
        let waits = s.spawn(|| worker.ring.write(&[7_u8; PAGE][..]).map(Worker::returns));
        wait_until(|| ring.keeper().waiting() == 1);
        drop(all);
        let arrived = waits.join().unwrap().unwrap();
        assert_eq!(ring.read(arrived).unwrap()[PAGE - 1], 7);
    });
    assert_empty(&ring);
}

#[test]
fn the_parent_waits_until_a_worker_makes_room() {
    let ring = ring(2);
    let worker = Worker::boards(&ring);
    let all = worker.ring.write(&[0_u8; 2 * PAGE][..]).unwrap();
    thread::scope(|s| {
        let waits = s.spawn(|| ring.write(&[7_u8; PAGE][..]).map(drop));
        wait_until(|| ring.keeper().waiting() == 1);
        drop(all);
        waits.join().unwrap().unwrap();
    });
    assert_empty(&ring);
}

/// An item, and the worker that is at it.
struct Item(Luggage, Seat);

impl Stage for Item {
    fn jammed(&self, waits: &dyn Fn(Seat) -> bool, show: &mut dyn FnMut(&Luggage)) {
        if waits(self.1) {
            show(&self.0);
        }
    }
}

/// Who asks for figures hears what workers have said. They may be heard before the broker's thread has woken up: it has to
/// look after those who wait all the same.
#[test]
fn a_wait_that_another_thread_heard_of_is_refused_if_it_lasts_for_ever() {
    for _ in 0..10 {
        let ring = ring(1);
        let worker = Worker::boards(&ring);
        let reference = ring.write(&[1_u8; PAGE][..]).unwrap();
        let (encoded, luggage) = luggage::packing(|| postcard::to_stdvec(&reference));
        encoded.unwrap();
        drop(reference);
        let asked = Asked::from_now_on(Arc::new(Item(luggage, worker.seat)));
        // the thread has done what it had to, and sleeps without a limit
        thread::sleep(Duration::from_millis(5));
        let patience = Patience::Waits { kept: Some(0) };
        worker.says(&frame(&Request::Reserve { tag: 1, bytes: PAGE, patience }).unwrap());
        assert_eq!(ring.num_stored_items(), 1);
        assert!(matches!(worker.hears(), Answer::Refused(ShmError::Deadlock { needed: PAGE, .. })));
        drop(asked);
        assert_empty(&ring);
    }
}

#[test]
fn several_threads_of_a_worker_ask_at_once_while_one_waits() {
    let ring = ring(64);
    let worker = Worker::boards(&ring);
    let most = ring.write(&[0_u8; 40 * PAGE][..]).unwrap();
    thread::scope(|s| {
        let waits = s.spawn(|| worker.ring.write(&[1_u8; 64 * PAGE][..]).map(Worker::returns));
        wait_until(|| ring.keeper().waiting() == 1);
        for seed in 0..4 {
            let worker = &worker.ring;
            s.spawn(move || {
                for x in (0..200).map(|i| 1000 * seed + i) {
                    let made = worker.write(&x).unwrap();
                    assert_eq!(worker.read_owned(made).unwrap(), x);
                }
            });
        }
        drop(most);
        assert_eq!(ring.read(waits.join().unwrap().unwrap()).unwrap().len(), 64 * PAGE);
    });
    wait_until(|| ring.free_ratio() == 1.0);
    assert_empty(&ring);
}

#[test]
fn a_worker_that_is_told_to_stop_waits_no_longer() {
    let ring = ring(2);
    let _all = ring.write(&[0_u8; 2 * PAGE][..]).unwrap();
    let worker = Worker::boards(&ring);
    thread::scope(|s| {
        let waits = s.spawn(|| worker.ring.write(&1).map(drop));
        wait_until(|| ring.keeper().waiting() == 1);
        worker.ring.keeper().stop_waiting();
        assert_eq!(waits.join().unwrap(), Err(ShmError::Stopped));
    });
    assert_eq!(worker.ring.write(&1).unwrap_err(), ShmError::Stopped);
}

#[test]
fn garbage_cuts_off_its_sender_alone() {
    let commit = frame(&Request::Commit(77, super::wire::Stamp { len: 1, kind: 1 })).unwrap();
    let unread = frame(&Request::Unread(77)).unwrap();
    for garbage in [&[0xff; 40][..], &[3, 0, 0xff, 0xff, 0xff], &commit, &unread] {
        let ring = ring(8);
        let (mut bad, good) = (Worker::boards(&ring), Worker::boards(&ring));
        let made = bad.ring.write("made by who went bad").unwrap();
        let _reserved = bad.ring.reserve::<u8>(1).unwrap();
        let arrived = Worker::returns(made);
        bad.says(garbage);
        wait_until(|| bad.ring.try_write(&1).is_err());
        assert_eq!(bad.ring.try_write(&1).unwrap_err(), ShmError::Gone);
        assert!(ring.free_ratio() < 1.0, "it may still write where it reserved");
        bad.is_forgotten();
        assert_eq!(good.ring.read_owned(good.ring.write(&1).unwrap()), Ok(1));
        assert_eq!(&*ring.read(arrived).unwrap(), "made by who went bad");
        wait_until(|| ring.free_ratio() == 1.0);
    }
}

#[test]
fn the_parent_is_gone() {
    let ring = ring(8);
    let worker = Worker::boards(&ring);
    let made = worker.ring.write("still mapped").unwrap();
    let guard = worker.ring.read(made.clone()).unwrap();
    let Worker { ring: theirs, ticket, .. } = worker;
    drop((ring, ticket));
    assert_eq!(&*guard, "still mapped");
    assert_eq!(theirs.write(&1).unwrap_err(), ShmError::Gone);
    assert_eq!(theirs.read(made).unwrap_err(), ShmError::Gone);
    assert_eq!((theirs.num_stored_items(), theirs.free_ratio()), (0, 0.0));
}

#[test]
fn a_buffer_is_sent_as_a_context_alone() {
    let ring = ring(1);
    let error = postcard::to_stdvec(&ring).map(drop);
    assert!(error.is_err());
    let worker = Worker::boards(&ring);
    let (sent_on, _) = luggage::packing(|| postcard::to_stdvec(&worker.ring).map(drop));
    assert!(sent_on.is_err());
    let place_and_number_and_length = [0, 1, 1];
    assert!(postcard::from_bytes::<SharedMemoryRingBuffer>(&place_and_number_and_length).is_err());
}

#[test]
fn a_buffer_is_decoded_from_what_came_along() {
    let ring = ring(1);
    let (bytes, luggage) = luggage::packing(|| postcard::to_stdvec(&ring).unwrap());
    let boarded = luggage.passengers[0].board().unwrap();
    let theirs: SharedMemoryRingBuffer =
        luggage::unpacking(vec![boarded.fds], || postcard::from_bytes(&bytes)).unwrap();
    assert_eq!(theirs.capacity(), PAGE);
    assert!(!theirs.keeper().counts());
    drop(theirs.write(&1).unwrap());
}

#[test]
fn the_thread_is_there_as_long_as_there_are_workers() {
    let ring = ring(1);
    let count = || Arc::strong_count(ring.keeper());
    assert_eq!(count(), 1);
    let workers = [Worker::boards(&ring), Worker::boards(&ring)];
    assert!(count() > 1);
    drop(workers);
    assert_eq!(count(), 1, "the thread holds the books, and was joined");
    drop(Worker::boards(&ring));
    assert_eq!(count(), 1);
}

/// Workers and the parent make, send, keep, read and drop things in random order; workers die at random. Everything that is
/// read is what was written, and in the end all is free.
#[test]
fn a_crowd() {
    let (rounds, most) = (300, 6 * PAGE as u64);
    let ring = ring(64);
    let content = |x: u64, len: usize| vec![x as u8; len];
    let tickets = Mutex::new(Vec::new());
    thread::scope(|s| {
        let (send, results) = mpsc::channel::<(u64, usize, Vec<u8>)>();
        for seed in 0..4 {
            let (send, ring, tickets) = (send.clone(), &ring, &tickets);
            s.spawn(move || {
                let mut random = Random::new(seed);
                for round in 0..rounds / 50 {
                    let worker = Worker::boards(ring);
                    let mut held = Vec::new();
                    for x in 0..50 {
                        let (x, len) = (seed * 1000 + round * 50 + x, random.size(most));
                        let made = match worker.ring.try_write(&content(x, len)[..]) {
                            Ok(made) => made,
                            Err(ShmError::Full { .. }) => {
                                held.clear();
                                continue;
                            }
                            Err(error) => panic!("{error}"),
                        };
                        match random.below(4) {
                            0 => drop(made),
                            1 => {
                                let guard = worker.ring.read(made).unwrap();
                                assert_eq!(*guard, content(x, len)[..]);
                                held.push(guard);
                            }
                            _ => {
                                let bytes = sending(|| postcard::to_stdvec(&made)).unwrap();
                                send.send((x, len, bytes)).unwrap();
                            }
                        }
                    }
                    if random.below(2) == 0 {
                        worker.dies();
                    }
                    tickets.lock().unwrap().extend(worker.ticket); // what it sent is on its way
                }
            });
        }
        drop(send);
        for (x, len, bytes) in results {
            let reference: ShmRef<[u8]> = postcard::from_bytes(&bytes).unwrap();
            assert_eq!(*ring.read(reference).unwrap(), content(x, len)[..]);
        }
    });
    drop(tickets);
    assert_empty(&ring);
}
