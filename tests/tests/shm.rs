//! The shared-memory buffer as one process uses it: what is read is what was written, what is gone is an error and never
//! another thing, and in the end all of it is free. At the end what it is for: worker processes.
use serde::{Deserialize, Serialize, Serializer};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::{fs, thread};
use tinypl::pipeline;
use tinypl::process::{Backend, Load, SharedMemoryRingBuffer, ShmError, ShmGuard, ShmRef, Store};
use tinypl_tests::{Random, child, is_child, linger, rounds, skipped, wait_until, watchdog};

const PAGE: usize = 4096;
const BACKENDS: [Backend; 2] = [Backend::Posix, Backend::Memfd];

fn ring(pages: usize) -> SharedMemoryRingBuffer {
    SharedMemoryRingBuffer::new(pages * PAGE).expect("there is shared memory")
}

#[track_caller]
fn assert_free(ring: &SharedMemoryRingBuffer) {
    assert_eq!((ring.num_stored_items(), ring.free_ratio()), (0, 1.0));
    let all = vec![1_u8; ring.capacity()];
    assert!(*ring.read(ring.try_write(&all[..]).expect("it is in one piece")).unwrap() == all[..]);
}

/// What a name is worth to somebody who has it as bytes.
fn encoded<T: ?Sized>(reference: &ShmRef<T>) -> Vec<u8> {
    postcard::to_stdvec(reference).unwrap()
}

fn decoded<T: ?Sized>(bytes: &[u8]) -> ShmRef<T> {
    postcard::from_bytes(bytes).unwrap()
}

/// In a process of its own, as the only test, what `there` does; if it has none yet.
#[track_caller]
fn apart(test: &str, there: impl FnOnce()) {
    if is_child(test) {
        return there();
    }
    let _watchdog = watchdog(60);
    assert_success(&child(test).output().expect("the test runs itself"));
}

#[track_caller]
fn assert_success(output: &Output) {
    assert!(output.status.success(), "{:?}: {}", output.status, String::from_utf8_lossy(&output.stderr));
}

/// 100 000 writes of mixed sizes (and some more for which there is no room), read or not, dropped in random order.
#[test]
fn a_random_walk_beside_a_model() {
    let _watchdog = watchdog(300);
    for backend in BACKENDS {
        let ring = SharedMemoryRingBuffer::with_backend(128 * PAGE, backend).unwrap();
        let mut random = Random::new(1);
        let content = |x: u64, len: usize| -> Vec<u64> { (0..len as u64).map(|i| x.wrapping_mul(31) + i).collect() };
        // what is stored: its number and length, and who holds it
        let mut stored: Vec<(u64, usize, ShmRef<[u64]>)> = Vec::new();
        let mut guarded: Vec<(u64, usize, ShmGuard<[u64]>)> = Vec::new();
        let mut writes = 0;
        while writes < rounds(50_000) {
            let pages = |len: usize| (8 * len).div_ceil(PAGE);
            let used = || stored.iter().map(|x| x.1).chain(guarded.iter().map(|x| x.1)).map(pages).sum::<usize>();
            match random.below(10) {
                0..5 => {
                    let len = if random.below(20) == 0 { random.below(20_000) } else { random.below(900) } as usize;
                    match ring.try_write(&content(writes, len)[..]) {
                        Ok(reference) => {
                            stored.push((writes, len, reference));
                            writes += 1;
                        }
                        Err(ShmError::Full { needed, room, .. }) => {
                            assert_eq!((needed, room.free), (8 * len, (128 - used()) * PAGE));
                            assert!(room.largest_gap < needed && room.items == stored.len() + guarded.len());
                            stored.clear();
                        }
                        Err(error) => panic!("{error}"),
                    }
                }
                5..7 if !stored.is_empty() => {
                    let (x, len, reference) = stored.swap_remove(random.below(stored.len() as u64) as usize);
                    guarded.push((x, len, ring.read(reference).unwrap()));
                }
                7 if !stored.is_empty() => drop(stored.swap_remove(random.below(stored.len() as u64) as usize)),
                _ if !guarded.is_empty() => {
                    let (x, len, guard) = guarded.swap_remove(random.below(guarded.len() as u64) as usize);
                    assert_eq!(*guard, content(x, len)[..]);
                }
                _ => {}
            }
            let used: usize = stored.iter().map(|x| x.1).chain(guarded.iter().map(|x| x.1)).map(pages).sum();
            assert_eq!(ring.num_stored_items(), stored.len() + guarded.len());
            assert_eq!(ring.free_ratio(), (128 - used) as f64 / 128.0);
        }
        drop((stored, guarded));
        assert_free(&ring);
    }
}

#[test]
fn all_that_can_be_stored() {
    let _watchdog = watchdog(60);
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Person {
        name: String,
        friends: Vec<Option<u32>>,
    }
    fn there_and_back<T: Store<Owned = O> + PartialEq + std::fmt::Debug + ?Sized, O>(value: &T)
    where
        O: std::borrow::Borrow<T>,
    {
        let ring = ring(8);
        let reference = ring.write(value).unwrap();
        assert_eq!(&*ring.read(reference.clone()).unwrap(), value);
        assert_eq!(ring.read_owned(reference).unwrap().borrow(), value);
        assert_free(&ring);
    }
    there_and_back(&[1_u8, 2, 3][..]);
    there_and_back(&[1.5_f64, -0.0][..]);
    there_and_back(&[[1_u128, u128::MAX], [3, 4]][..]);
    there_and_back::<[u8], _>(&[]);
    there_and_back::<[u64], _>(&[]);
    there_and_back(&[(); 1000][..]);
    there_and_back("");
    there_and_back("größer als ASCII");
    there_and_back(&());
    there_and_back(&17);
    there_and_back(&vec![String::from("a"), String::new()]);
    there_and_back(&Person { name: "Ada".to_owned(), friends: vec![Some(3), None] });
}

#[test]
fn plain_data_is_aligned_and_in_place() {
    let _watchdog = watchdog(60);
    let ring = ring(8);
    let small = ring.write(&[1_u8][..]).unwrap();
    let large = ring.write(&[1_u128, 2][..]).unwrap();
    let (one, two) = (ring.read(large.clone()).unwrap(), ring.read(large).unwrap());
    assert!(one.as_ptr().cast::<[u8; PAGE]>().addr().is_multiple_of(PAGE));
    assert_eq!(one.as_ptr(), two.as_ptr(), "there is one copy");
    drop((small, one, two));
    assert_free(&ring);
}

#[test]
fn two_readers_of_one_item() {
    let _watchdog = watchdog(60);
    let ring = ring(8);
    let reference = ring.write(&[7_u32; 100][..]).unwrap();
    thread::scope(|s| {
        for _ in 0..2 {
            let (ring, reference) = (ring.clone(), reference.clone());
            s.spawn(move || {
                for _ in 0..1000 {
                    assert_eq!(*ring.read(reference.clone()).unwrap(), [7; 100]);
                }
            });
        }
        drop(reference);
    });
    assert_free(&ring);
}

#[test]
fn what_is_dropped_unread_is_free() {
    let _watchdog = watchdog(60);
    let ring = ring(8);
    let references: Vec<_> = (0..8).map(|x| ring.write(&x).unwrap()).collect();
    let clones = references.clone();
    drop(references);
    assert_eq!((ring.num_stored_items(), ring.free_ratio()), (8, 0.0));
    drop(clones);
    assert_free(&ring);
}

#[test]
fn room_is_filled_in_place_and_committed_or_freed() {
    let _watchdog = watchdog(60);
    let ring = ring(8);
    let mut room = ring.reserve::<u32>(2000).unwrap();
    room.fill(5);
    assert_eq!((room.len(), ring.num_stored_items(), ring.free_ratio()), (2000, 0, 0.75));
    let reference = room.commit();
    assert_eq!(ring.num_stored_items(), 1);
    drop(ring.reserve::<u8>(5 * PAGE).unwrap());
    assert_eq!(ring.read(reference).unwrap().iter().sum::<u32>(), 10_000);
    assert_free(&ring);
}

#[test]
fn a_guard_outlives_the_buffer_and_a_clone_is_the_same_buffer() {
    let _watchdog = watchdog(60);
    let ring = ring(8);
    let same = ring.clone();
    let (reference, other) = (ring.write("kept").unwrap(), ring.write("read elsewhere").unwrap());
    let guard = ring.read(reference).unwrap();
    drop(ring);
    assert_eq!(same.read_owned(other).unwrap(), "read elsewhere");
    drop(same);
    assert_eq!(&*guard, "kept");
}

#[test]
fn bytes_of_a_reference_name_its_item_as_long_as_that_is_there() {
    let _watchdog = watchdog(60);
    let ring = ring(8);
    let reference = ring.write("first").unwrap();
    let bytes = encoded(&reference);
    let twice: [ShmRef<str>; 2] = [decoded(&bytes), decoded(&bytes)];
    drop(reference);
    for reference in twice {
        assert_eq!(&*ring.read(reference).unwrap(), "first");
    }
    let stale: ShmRef<str> = decoded(&bytes);
    assert_free(&ring);
    // it lies where the first one lay, and is as long
    let second = ring.write("other").unwrap();
    for stale in [stale, decoded(&bytes)] {
        assert_eq!(ring.read(stale).unwrap_err(), ShmError::Stale);
    }
    assert_eq!(&*ring.read(second).unwrap(), "other");
    assert_free(&ring);
}

#[test]
fn a_reference_of_another_type_or_buffer_is_refused() {
    let _watchdog = watchdog(60);
    let (ring, other) = (ring(8), ring(8));
    let reference = ring.write(&[1_u8; 8][..]).unwrap();
    let bytes = encoded(&reference);
    fn corrupt<T: Load<Owned: std::fmt::Debug> + ?Sized>(ring: &SharedMemoryRingBuffer, bytes: &[u8]) -> String {
        match ring.read_owned::<T>(decoded(bytes)) {
            Err(error @ ShmError::Corrupt(_)) => error.to_string(),
            other => panic!("{other:?}"),
        }
    }
    assert!(corrupt::<[u64]>(&ring, &bytes).ends_with("what it names is no `[u64]`"));
    corrupt::<str>(&ring, &bytes);
    corrupt::<Vec<u8>>(&ring, &bytes);
    corrupt::<[i8]>(&ring, &bytes);
    assert!(corrupt::<[u8]>(&other, &bytes).ends_with("it belongs to another buffer"));
    drop(reference);
    assert_free(&ring);
}

/// Whatever bytes are decoded: an error, or the very item that they name.
#[test]
fn forged_references() {
    let _watchdog = watchdog(120);
    let ring = ring(64);
    let mut random = Random::new(5);
    let items: Vec<_> = (0..20_u64).map(|x| ring.write(&vec![x; x as usize][..]).unwrap()).collect();
    let names: Vec<_> = items.iter().map(encoded).collect();
    let mut refused = 0;
    for _ in 0..rounds(100_000) {
        let mut bytes = random.one_of(&names.iter().collect::<Vec<_>>()).clone();
        for _ in 0..random.below(3) {
            let at = random.below(bytes.len() as u64) as usize;
            bytes[at] = random.below(256) as u8;
        }
        if random.below(10) == 0 {
            bytes.truncate(random.below(bytes.len() as u64) as usize);
        }
        let Ok(reference) = postcard::from_bytes::<ShmRef<[u64]>>(&bytes) else {
            refused += 1;
            continue;
        };
        match ring.read(reference) {
            Ok(guard) => {
                let item = names.iter().position(|name| *name == bytes).expect("the very name");
                assert_eq!(*guard, vec![item as u64; item]);
            }
            Err(ShmError::Corrupt(_) | ShmError::Stale) => refused += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert!(refused > 1000);
    drop(items);
    assert_free(&ring);
}

#[test]
fn what_serde_can_not_do_is_an_error_and_takes_no_room() {
    let _watchdog = watchdog(60);
    #[derive(Deserialize, Debug)]
    struct Stubborn;
    impl Serialize for Stubborn {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("no"))
        }
    }
    let ring = ring(8);
    let error = ring.write(&Stubborn).unwrap_err();
    assert!(matches!(&error, ShmError::Codec { writing: true, type_name, .. } if type_name.ends_with("Stubborn")));
    assert!(error.to_string().starts_with("can't serialise a `shm::"), "{error}");
    assert_free(&ring);
}

#[test]
fn too_large_and_full() {
    let _watchdog = watchdog(60);
    let ring = SharedMemoryRingBuffer::new(8 * PAGE - 1).unwrap();
    assert_eq!(ring.capacity(), 8 * PAGE, "whole pages");
    let needed = 8 * PAGE + 1;
    assert_eq!(ring.reserve::<u8>(needed).unwrap_err(), ShmError::TooLarge { needed, capacity: 8 * PAGE });
    assert!(matches!(ring.reserve::<u64>(usize::MAX), Err(ShmError::TooLarge { .. })));
    let three = [3, 2, 3].map(|pages| ring.write(&vec![0_u8; pages * PAGE][..]).unwrap());
    assert!(ring.try_write::<[u8]>(&[]).is_ok(), "nothing takes no room");
    let [first, _middle, last] = three;
    drop((first, last));
    match ring.try_reserve::<u8>(4 * PAGE).unwrap_err() {
        error @ ShmError::Full { needed, room } => {
            assert_eq!((needed, room.free, room.largest_gap, room.items), (4 * PAGE, 6 * PAGE, 3 * PAGE, 1));
            let says = "no room for 16.0 KiB in shared memory now: 1 item, 24.0 KiB free, 12.0 KiB in one piece";
            assert_eq!(error.to_string(), says);
        }
        error => panic!("{error}"),
    }
}

#[test]
fn a_writer_waits_until_there_is_room() {
    let _watchdog = watchdog(60);
    let ring = ring(8);
    let [some, more] = [4, 4].map(|pages| ring.write(&vec![0_u8; pages * PAGE][..]).unwrap());
    let written = AtomicUsize::new(0);
    thread::scope(|s| {
        let writer = s.spawn(|| {
            let reference = ring.write(&vec![7_u8; 8 * PAGE][..]);
            written.store(1, SeqCst);
            reference.unwrap()
        });
        linger();
        drop(some);
        linger();
        assert_eq!(written.load(SeqCst), 0);
        drop(ring.read(more));
        assert_eq!(ring.read(writer.join().unwrap()).unwrap()[8 * PAGE - 1], 7);
    });
    assert_free(&ring);
}

#[test]
fn many_writers_wait_for_one_another() {
    let _watchdog = watchdog(120);
    let ring = ring(8);
    let sum = AtomicUsize::new(0);
    thread::scope(|s| {
        for seed in 0..4 {
            let (ring, sum) = (ring.clone(), &sum);
            s.spawn(move || {
                let mut random = Random::new(seed);
                for _ in 0..rounds(5000) {
                    let len = random.size(8 * PAGE as u64);
                    let guard = ring.read(ring.write(&vec![len as u8; len][..]).unwrap()).unwrap();
                    assert!(guard.len() == len && guard.iter().all(|x| *x == len as u8));
                    sum.fetch_add(1, SeqCst);
                }
            });
        }
    });
    assert_eq!(sum.load(SeqCst) as u64, 4 * rounds(5000));
    assert_free(&ring);
}

/// The results in the queue, and one that the user holds, leave no room; the workers wait; the pipeline is dropped.
#[test]
fn a_pipeline_ends_though_its_workers_wait_for_room() {
    let _watchdog = watchdog(60);
    let ring = ring(4);
    let (wait, errors) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|s| {
        let store = |x: u64| {
            wait.fetch_add(1, SeqCst);
            let stored = ring.write(&vec![x; PAGE / 8][..]);
            errors.lock().unwrap().extend(stored.as_ref().err().cloned());
            stored
        };
        let mut pipe = pipeline! { range(100_u64) |> thread::map(store, workers = 2, maxsize = 16, scope = s) };
        let held = pipe.next().unwrap().unwrap();
        wait_until(|| wait.load(SeqCst) == 6);
        linger();
        drop(pipe);
        assert_eq!(*errors.lock().unwrap(), [ShmError::Stopped, ShmError::Stopped]);
        drop(held);
    });
    assert_free(&ring);
}

#[test]
fn the_only_thread_can_not_wait_for_itself() {
    let _watchdog = watchdog(60);
    if !Path::new("/proc/self/task").exists() {
        return skipped("threads can't be counted here, there is no /proc/self/task");
    }
    let output = Command::new(env!("CARGO_BIN_EXE_one_thread")).output().expect("it was built beside this test");
    assert_success(&output);
    let says = "no room for 16.0 KiB in shared memory, and nobody who could make room: 1 item, 12.0 KiB free, 12.0 KiB in \
                one piece; drop references and guards that are not needed, or make the buffer larger\n";
    assert_eq!(String::from_utf8_lossy(&output.stdout), says);
}

#[test]
fn a_buffer_goes_nowhere_but_to_workers() {
    let _watchdog = watchdog(60);
    let ring = ring(1);
    let encoded = serde_error(|| postcard::to_stdvec(&ring).map(drop));
    assert!(encoded, "it is no context of a process stage here");
    assert!(serde_error(|| postcard::from_bytes::<SharedMemoryRingBuffer>(&[0, 1, 1]).map(drop)));
}

fn serde_error(act: impl FnOnce() -> postcard::Result<()>) -> bool {
    act().is_err()
}

#[test]
fn errors_travel() {
    let _watchdog = watchdog(60);
    let ring = ring(1);
    let held = ring.write(&1).unwrap();
    let errors = [
        ring.write(&[0_u8; 2 * PAGE][..]).map(drop),
        ring.try_write(&[0_u8; PAGE][..]).map(drop),
        ring.read::<str>(decoded(&encoded(&held))).map(drop),
        SharedMemoryRingBuffer::new(0).map(drop),
    ];
    for error in errors {
        let error: Result<(), ShmError> = Err(error.unwrap_err());
        let bytes = postcard::to_stdvec(&error).unwrap();
        assert_eq!(postcard::from_bytes::<Result<(), ShmError>>(&bytes).unwrap(), error);
    }
}

#[test]
fn more_than_there_is() {
    let _watchdog = watchdog(60);
    for backend in BACKENDS {
        for bytes in [0, 1 << 44, 1 << 52, usize::MAX / 2, usize::MAX] {
            let error = SharedMemoryRingBuffer::with_backend(bytes, backend).unwrap_err();
            assert!(matches!(error, ShmError::NoSpace { .. } | ShmError::Create { .. }), "{error:?}");
        }
    }
}

/// Names of ours in `/dev/shm`.
fn left_in_dev_shm() -> Vec<String> {
    let entries = fs::read_dir("/dev/shm").into_iter().flatten().flatten();
    let ours = format!("tinypl.{:x}.", std::process::id());
    entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with(&ours))
        .collect()
}

#[test]
fn nothing_is_left() {
    apart("nothing_is_left", || {
        let count = |what: &str| fs::read_dir(Path::new("/proc/self").join(what)).map_or(0, Iterator::count);
        let counts = || (count("fd"), count("task"), count("map_files"));
        let use_one = |backend| {
            let ring = SharedMemoryRingBuffer::with_backend(8 * PAGE, backend).unwrap();
            assert_eq!(left_in_dev_shm(), [""; 0], "there is no name even while it is used");
            let guard = ring.read(ring.write("text").unwrap()).unwrap();
            drop(ring);
            assert_eq!(&*guard, "text");
        };
        BACKENDS.into_iter().for_each(use_one);
        let before = counts();
        for _ in 0..100 {
            BACKENDS.into_iter().for_each(use_one);
            assert!(SharedMemoryRingBuffer::new(1 << 50).is_err());
        }
        assert_eq!(counts(), before);
        assert_eq!(left_in_dev_shm(), [""; 0]);
    });
}

/// In a mount namespace whose `/dev/shm` has 1 MiB: an error that says so, and nothing is killed.
#[test]
fn a_small_dev_shm() {
    let test = "a_small_dev_shm";
    if is_child(test) {
        let error = SharedMemoryRingBuffer::new(4 << 20).unwrap_err();
        let says = "can't reserve 4.0 MiB of shared memory: /dev/shm has 1.0 MiB free of 1.0 MiB (for a container, docker's \
                    `--shm-size` sets it)";
        assert_eq!(error.to_string(), says);
        assert_eq!(left_in_dev_shm(), [""; 0]);
        let half = SharedMemoryRingBuffer::new(512 << 10).unwrap();
        match SharedMemoryRingBuffer::new(768 << 10).unwrap_err() {
            ShmError::NoSpace { needed, free, total } => {
                assert_eq!((needed, free, total), (768 << 10, 512 << 10, 1 << 20));
            }
            error => panic!("{error}"),
        }
        assert_free(&half);
        assert_free(&SharedMemoryRingBuffer::with_backend(4 << 20, Backend::Memfd).unwrap());
        return workers_in_a_small_dev_shm(&half);
    }
    let _watchdog = watchdog(60);
    let mount = "mount -t tmpfs -o size=1m none /dev/shm";
    if !Command::new("unshare").args(["-m", "sh", "-c", mount]).output().is_ok_and(|done| done.status.success()) {
        return skipped(&format!("{test}: no mount namespace can be made here (it takes root, and `unshare`)"));
    }
    let direct = child(test);
    let mut inside = Command::new("unshare");
    inside.args(["-m", "sh", "-c", &format!("{mount} && exec \"$0\" \"$@\"")]);
    inside.arg(direct.get_program()).args(direct.get_args());
    inside.envs(direct.get_envs().filter_map(|(name, value)| Some((name, value?))));
    assert_success(&inside.output().expect("`unshare` has just run"));
}

/// Workers use all that there is, and see the limit of what they would make themselves; the rest of `/dev/shm` is full.
fn workers_in_a_small_dev_shm(ring: &SharedMemoryRingBuffer) {
    let rest = SharedMemoryRingBuffer::new(512 << 10).unwrap();
    let f = |ring: &SharedMemoryRingBuffer, x: u8| {
        let error = SharedMemoryRingBuffer::new(PAGE).unwrap_err();
        assert!(matches!(error, ShmError::NoSpace { needed: PAGE, free: 0, total: 0x10_0000 }), "{error:?}");
        let mut room = ring.reserve(ring.capacity()).unwrap();
        room.fill(x);
        room.commit()
    };
    for made in pipeline! { range(20_u8) |> process::map_with(ring.clone(), f, workers = 2) } {
        let made = ring.read(made).unwrap();
        assert!(made.len() == 512 << 10 && made.iter().all(|x| *x == made[0]));
    }
    assert_free(ring);
    drop(rest);
    let mut own =
        pipeline! { [1_usize] |> process::map(|_| SharedMemoryRingBuffer::new(768 << 10).map(drop), workers = 1) };
    let error = ShmError::NoSpace { needed: 768 << 10, free: 512 << 10, total: 1 << 20 };
    assert_eq!(own.next(), Some(Err(error)));
}

#[test]
fn between_the_parent_and_its_workers() {
    let _watchdog = watchdog(120);
    let ring = ring(64);
    let made_here = ring.clone();
    let sums = pipeline! {
        range(200_u64)
            |> map(move |x| made_here.write(&[x; 100][..]).unwrap())
            |> o @ order::save(8)
            // reads what the parent made; gives that back, and something of its own
            |> process::map_with(ring.clone(), |ring, given: ShmRef<[u64]>| {
                let doubled: Vec<u64> = ring.read(given.clone()).unwrap().iter().map(|x| 2 * x).collect();
                let mut room = ring.reserve(doubled.len()).unwrap();
                room.copy_from_slice(&doubled);
                (given, room.commit(), ring.write("dropped in the worker").unwrap().clone())
            }, workers = 2, maxsize = 4)
            // one worker made it, another reads it
            |> process::map_with(ring.clone(), |ring, (given, doubled, text)| {
                let sum = ring.read::<[u64]>(given).unwrap()[99] + ring.read::<[u64]>(doubled).unwrap()[99];
                (sum, ring.read_owned::<str>(text).unwrap().len())
            }, workers = 2, maxsize = 4)
            |> order::load(o)
    };
    assert!(sums.eq((0..200).map(|x| (3 * x, "dropped in the worker".len()))));
    assert_free(&ring);
}

/// Each of two workers holds half of the buffer, and wants the other's.
#[test]
fn workers_that_wait_for_one_another() {
    let _watchdog = watchdog(60);
    let ring = ring(2);
    let mut ends: Vec<Result<u32, ShmError>> = pipeline! {
        range(2_u32) |> process::map_with(ring.clone(), |ring, x| {
            let half = ring.write(&[0_u8; PAGE][..])?;
            wait_until(|| ring.num_stored_items() == 2);
            let other = ring.write(&[0_u8; PAGE][..])?;
            drop((half, other));
            Ok(x)
        }, workers = 2) |> collect()
    };
    ends.sort_by_key(Result::is_ok);
    assert!(matches!(ends[..], [Err(ShmError::Deadlock { needed: PAGE, .. }), Ok(_)]), "{ends:?}");
    assert_free(&ring);
}

/// Workers wait for room that the parent holds, and the parent ends.
#[test]
fn a_pipeline_ends_though_its_worker_processes_wait_for_room() {
    let _watchdog = watchdog(60);
    let ring = ring(2);
    let mut pipe = pipeline! {
        range(100_u64) |> process::map_with(ring.clone(), |ring, x| ring.write(&[x; PAGE / 8][..]), workers = 2, maxsize = 8)
    };
    let held = [pipe.next(), pipe.next()];
    linger();
    drop(pipe);
    drop(held);
    assert_free(&ring);
}

/// There is room for one result: the worker waits for it while the one before may still be in its hands.
#[test]
fn a_worker_that_waits_for_room_does_not_sit_on_its_results() {
    let _watchdog = watchdog(120);
    let ring = ring(1);
    let store: fn(&SharedMemoryRingBuffer, u64) -> ShmRef<[u64]> = |ring, x| ring.write(&[x; 10][..]).unwrap();
    let mut sum = 0;
    for reference in
        pipeline! { range(rounds(3000)) |> process::map_with(ring.clone(), store, workers = 1, maxsize = 64) }
    {
        sum += ring.read(reference).unwrap()[9];
    }
    assert_eq!(sum, (0..rounds(3000)).sum::<u64>());
    assert_free(&ring);
}
