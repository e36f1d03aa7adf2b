//! Shared memory among real processes: whoever makes, sends, reads, keeps or drops something, whoever dies.
//! What is read is what was written, every item is there once, and in the end all is free.
use rustix::process::Signal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::slice::from_ref;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::Duration;
use tinypl::process::{self, Backend, OnDeath, SharedMemoryRingBuffer as Ring, ShmError, ShmRef};
use tinypl::{Error, Pipeline, pipeline, source};
use tinypl_tests::{
    Deed, Errand, Random, Scratch, await_note, linger, note, notes, outcome, rounds, runs_of, signal_child,
    stands_still, states, tidy, wait_until, work,
};

const PAGE: usize = 4096;
/// A worker that is waited for as long is one that the watchdog sees.
const HOUR: Duration = Duration::from_secs(3600);

type Words = ShmRef<[u64]>;

fn ring(pages: usize) -> Ring {
    Ring::new(pages * PAGE).expect("there is shared memory")
}

#[track_caller]
fn assert_free(ring: &Ring) {
    assert_eq!((ring.num_stored_items(), ring.free_ratio()), (0, 1.0));
    drop(ring.try_reserve::<u8>(ring.capacity()).expect("it is in one piece"));
}

/// How many words item `x` has; its size is mixed, up to so many pages, and nothing at times.
fn len(x: u64, pages: usize) -> usize {
    let mut random = Random::new(x);
    if random.below(10) == 0 { 0 } else { random.size((pages * PAGE / 8) as u64) }
}

/// What is in item `x`: no two items have a word in common.
fn fill(words: &mut [u64], x: u64) {
    for (i, word) in (0..).zip(words) {
        *word = (x + 1) << 32 | i;
    }
}

#[track_caller]
fn assert_filled(words: &[u64], x: u64) {
    let strange = (0..).zip(words).find(|&(i, &word)| word != (x + 1) << 32 | i);
    assert_eq!(strange, None, "in item {x}, of {} words", words.len());
}

/// Item `x`, made in one way or another.
fn make(ring: &Ring, x: u64, pages: usize) -> Result<Words, ShmError> {
    let len = len(x, pages);
    if x.is_multiple_of(2) {
        let mut words = vec![0; len];
        fill(&mut words, x);
        return ring.write(&words[..]);
    }
    let mut room = ring.reserve(len)?;
    fill(&mut room, x);
    Ok(room.commit())
}

/// That it is item `x`, read in one way or another.
#[track_caller]
fn check(ring: &Ring, item: Words, x: u64, pages: usize) {
    let assert = |words: &[u64]| {
        assert_eq!(words.len(), len(x, pages), "item {x}");
        assert_filled(words, x);
    };
    match x % 3 {
        0 => assert(&ring.read_owned(item).expect("it is there")),
        _ => assert(&ring.read(item).expect("it is there")),
    }
}

#[track_caller]
fn assert_says(error: &Error, parts: &[&str]) {
    for part in parts {
        assert!(error.message().contains(part), "{part:?} is not in {error}");
    }
}

// ---- who makes and who reads

#[test]
fn from_workers_to_the_parent() {
    let _tidy = tidy(300);
    for backend in [Backend::Posix, Backend::Memfd] {
        let ring = Ring::with_backend(8 * PAGE, backend).unwrap();
        for workers in [1, 2, 4] {
            let made = pipeline! {
                range(200_u64)
                    |> process::map_with(ring.clone(), |ring, x| (x, make(ring, x, 3).unwrap()), workers = workers)
            };
            let mut numbers = Vec::new();
            for (x, item) in made {
                check(&ring, item, x, 3);
                numbers.push(x);
            }
            numbers.sort_unstable();
            assert!(numbers.into_iter().eq(0..200));
            assert_free(&ring);
        }
    }
}

#[test]
fn from_the_parent_to_workers() {
    let _tidy = tidy(300);
    let ring = ring(256);
    for workers in [1, 2, 4] {
        let here = ring.clone();
        let checked = pipeline! {
            range(200_u64) |> map(move |x| (x, make(&here, x, 3).unwrap()))
                |> process::map_with(ring.clone(), |ring, (x, item)| { check(ring, item, x, 3); x }, workers = workers)
        };
        assert_eq!(checked.sum::<u64>(), (0..200_u64).sum::<u64>());
        assert_free(&ring);
    }
}

/// By way of the parent, which reads none of it; with an order around, and markers on their way.
#[test]
fn from_worker_to_worker() {
    let _tidy = tidy(300);
    let ring = ring(256);
    for workers in [2, 4] {
        let mut marks = 0;
        let numbers: Vec<u64> = pipeline! {
            range(300_u64) |> m @ marker::insert_periodic(7) |> o @ order::save(16)
                |> process::map_with(ring.clone(), |ring, x| (x, make(ring, x, 3).unwrap()), workers = workers)
                |> process::map(|(x, item): (u64, Words)| (item, x), workers = 1)
                |> process::map_with(ring.clone(), |ring, (item, x)| { check(ring, item, x, 3); x }, workers = workers)
                |> order::load(o) |> marker::on(|| marks += 1, m) |> collect()
        };
        assert!(numbers.into_iter().eq(0..300));
        assert_eq!(marks, 42);
        assert_free(&ring);
    }
}

#[test]
fn with_threads_in_between() {
    let _tidy = tidy(300);
    let ring = ring(256);
    let here = ring.clone();
    let copied = pipeline! {
        range(200_u64)
            |> process::map_with(ring.clone(), |ring, x| (x, make(ring, x, 2).unwrap()), workers = 2, maxsize = 8)
            |> thread::map(move |(x, item)| {
                check(&here, item, x, 2);
                (x, make(&here, x + 1000, 2).unwrap())
            }, workers = 2)
            |> process::map_with(ring.clone(), |ring, (x, item)| {
                check(ring, item, x + 1000, 2);
                x
            }, workers = 2, maxsize = 8)
    };
    assert_eq!(copied.sum::<u64>(), (0..200_u64).sum::<u64>());
    assert_free(&ring);
}

/// What passes a stage unread is the same after it, whether or not that stage has the buffer.
#[test]
fn passed_through() {
    let _tidy = tidy(300);
    let ring = ring(256);
    let here = ring.clone();
    let passed = pipeline! {
        range(100_u64) |> map(move |x| (x, make(&here, x, 3).unwrap()))
            |> process::map_with(ring.clone(), |_, given| given, workers = 2, maxsize = 4)
            |> process::map(|given: (u64, Words)| given, workers = 2, maxsize = 4)
            |> process::each(|given: &(u64, Words)| assert!(given.0 < 100), workers = 2, maxsize = 4)
            |> process::map_with(ring.clone(), |ring, (x, item)| {
                check(ring, item.clone(), x, 3);
                (x, item.clone(), item)
            }, workers = 2, maxsize = 4)
    };
    let mut n = 0;
    for (x, item, same) in passed {
        check(&ring, item, x, 3);
        check(&ring, same, x, 3);
        n += 1;
    }
    assert_eq!(n, 100);
    assert_free(&ring);
}

/// In a tuple, in a `Vec`, in an `Option`; some are dropped in the worker, some read there, some come back, with new
/// ones; here they are dropped in any order.
#[test]
fn released_in_any_order() {
    type Numbered = (u64, Words);
    type Case = (u64, Vec<Numbered>, Option<Words>);
    let _tidy = tidy(300);
    let ring = ring(2048);
    for workers in [2, 4] {
        let here = ring.clone();
        let given = move |x: u64| -> Case {
            let several = (10 * x..10 * x + x % 5).map(|n| (n, make(&here, n, 2).unwrap())).collect();
            (x, several, x.is_multiple_of(3).then(|| make(&here, x, 1).unwrap()))
        };
        let f = |ring: &Ring, (x, mut several, one): Case| -> Case {
            let mut random = Random::new(x);
            several.retain(|_| random.below(4) > 0);
            several.sort_by_key(|(n, _)| n.wrapping_mul(0x9E37_79B9_7F4A_7C15));
            if let Some((n, item)) = several.first() {
                check(ring, item.clone(), *n, 2);
            }
            drop(make(ring, x, 1));
            let made = (0..random.below(3)).map(|i| (5000 + 10 * x + i, make(ring, 5000 + 10 * x + i, 2).unwrap()));
            several.extend(made);
            (x, several, one.filter(|_| random.below(2) == 0))
        };
        let cases: Vec<Case> = pipeline! {
            range(80_u64) |> map(given) |> process::map_with(ring.clone(), f, workers = workers) |> collect()
        };
        let (mut several, mut single) = (Vec::new(), Vec::new());
        for (x, more, one) in cases {
            several.extend(more);
            single.extend(one.map(|one| (x, one)));
        }
        assert_eq!(ring.num_stored_items(), several.len() + single.len(), "all else is free");
        let mut random = Random::new(7);
        while !several.is_empty() || !single.is_empty() {
            let (from, pages) = if random.below(3) == 0 { (&mut single, 1) } else { (&mut several, 2) };
            if from.is_empty() {
                continue;
            }
            let (x, item) = from.swap_remove(random.below(from.len() as u64) as usize);
            if random.below(4) > 0 {
                check(&ring, item, x, pages);
            }
        }
        assert_free(&ring);
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Person {
    name: String,
    scores: Vec<Option<f64>>,
}

/// There, read and made anew in the worker, and back.
#[test]
fn all_that_can_be_stored() {
    type All =
        (ShmRef<Person>, ShmRef<str>, ShmRef<[f32]>, ShmRef<[u8]>, ShmRef<[[i16; 3]]>, ShmRef<Vec<String>>, ShmRef<()>);
    let _tidy = tidy(300);
    let ring = ring(64);
    let f = |ring: &Ring, (person, text, floats, bytes, triples, words, unit): All| {
        let read = ring.read(person)?;
        let person = Person { name: read.name.repeat(2), ..read.clone() };
        let text = ring.read(text)?.to_uppercase();
        let floats: Vec<f32> = ring.read(floats)?.iter().map(|x| x + 0.5).collect();
        let mut room = ring.reserve(ring.read(bytes.clone())?.len())?;
        room.copy_from_slice(&ring.read(bytes)?);
        let triples = ring.read_owned(triples)?;
        let words = ring.read(words)?.iter().rev().cloned().collect::<Vec<_>>();
        ring.read_owned(unit)?;
        Ok((
            ring.write(&person)?,
            ring.write(&*text)?,
            ring.write(&floats[..])?,
            room.commit(),
            ring.write(&triples[..])?,
            ring.write(&words)?,
            ring.write(&())?,
        ))
    };
    for n in [0, 1, 5, 2000] {
        let person = Person {
            name: "Ada, Gräfin".to_owned(),
            scores: (0..n).map(|i| (i % 2 == 0).then_some(i as f64)).collect(),
        };
        let words: Vec<String> = (0..n).map(|i| i.to_string()).collect();
        let floats: Vec<f32> = (0..n).map(|i| i as f32).collect();
        let (bytes, triples) = (vec![7_u8; n], vec![[1_i16, -2, 3]; n]);
        let text = "straße ".repeat(n);
        let given: All = (
            ring.write(&person).unwrap(),
            ring.write(&*text).unwrap(),
            ring.write(&floats[..]).unwrap(),
            ring.write(&bytes[..]).unwrap(),
            ring.write(&triples[..]).unwrap(),
            ring.write(&words).unwrap(),
            ring.write(&()).unwrap(),
        );
        let mut pipe = pipeline! { [given] |> process::map_with(ring.clone(), f, workers = 1) };
        let back: Result<All, ShmError> = pipe.next().unwrap();
        let back = back.unwrap();
        assert_eq!(*ring.read(back.0).unwrap(), Person { name: person.name.repeat(2), ..person });
        assert_eq!(*ring.read(back.1).unwrap(), text.to_uppercase());
        assert!(ring.read(back.2).unwrap().iter().copied().eq(floats.iter().map(|x| x + 0.5)));
        assert_eq!(ring.read_owned(back.3).unwrap(), bytes);
        assert_eq!(*ring.read(back.4).unwrap(), triples);
        assert!(ring.read(back.5).unwrap().iter().eq(words.iter().rev()));
        ring.read_owned(back.6).unwrap();
        drop(pipe);
        assert_free(&ring);
    }
}

#[test]
fn arrays_of_ndarray() {
    use ndarray::{Array2, Array3, ArrayD, Axis, Ix2, Ix3, IxDyn};
    use process::NdArray;
    let _tidy = tidy(300);
    let ring = ring(256);
    let here = ring.clone();
    let table = |x: usize| Array2::from_shape_fn((x, 3), |(i, j)| (100 * x + 10 * i + j) as f64);
    let given = move |x: usize| {
        let dynamic: ArrayD<u16> = ArrayD::from_elem(IxDyn(&[x, 1, 2]), x as u16);
        // not in one piece, and not in the order in which it is stored
        let turned = table(x);
        (x, here.write_array(&turned.t()).unwrap(), here.write_array(&dynamic).unwrap())
    };
    type Given = (usize, ShmRef<NdArray<f64, Ix2>>, ShmRef<NdArray<u16, IxDyn>>);
    type Made = (usize, ShmRef<NdArray<f64, Ix2>>, ShmRef<NdArray<f32, Ix3>>);
    let f = |ring: &Ring, (x, turned, dynamic): Given| -> Made {
        let dynamic = ring.read(dynamic).unwrap();
        assert_eq!(dynamic.view().shape(), [x, 1, 2]);
        assert!(dynamic.view().iter().all(|y| usize::from(*y) == x));
        let doubled = 2.0 * &ring.read(turned).unwrap().view().t();
        let mut room = ring.reserve_array((2, x, 1)).unwrap();
        room.view_mut().index_axis_mut(Axis(0), 1).fill(x as f32);
        room.view_mut().index_axis_mut(Axis(0), 0).fill(0.0);
        (x, ring.write_array(&doubled).unwrap(), room.commit())
    };
    for (x, doubled, cube) in
        pipeline! { range(50_usize) |> map(given) |> process::map_with(ring.clone(), f, workers = 2, maxsize = 8) }
    {
        assert_eq!(ring.read(doubled).unwrap().view(), 2.0 * &table(x));
        let mut expected = Array3::zeros((2, x, 1));
        expected.index_axis_mut(Axis(0), 1).fill(x as f32);
        assert_eq!(ring.read_owned(cube).unwrap(), expected);
    }
    assert_free(&ring);
}

// ---- what a context may hold

/// Two buffers, one of them twice, and a table that all workers read.
#[test]
fn several_buffers_and_a_table_in_a_context() {
    #[derive(Serialize, Deserialize)]
    struct Context {
        one: Ring,
        same: Ring,
        other: Ring,
        table: Words,
    }
    let _tidy = tidy(300);
    let (one, other) = (ring(64), ring(64));
    let context =
        Context { one: one.clone(), same: one.clone(), other: other.clone(), table: make(&other, 999, 8).unwrap() };
    let f = |context: &Context, x: u64| {
        check(&context.other, context.table.clone(), 999, 8);
        let [a, b, c] = [(&context.one, x), (&context.same, x + 1000), (&context.other, x + 2000)]
            .map(|(ring, x)| make(ring, x, 1).unwrap());
        check(&context.same, a.clone(), x, 1);
        (x, a, b, c)
    };
    let mut pipe = pipeline! { range(100_u64) |> process::map_with(context, f, workers = 2, maxsize = 4) };
    for (x, a, b, c) in pipe.by_ref() {
        check(&one, a, x, 1);
        check(&one, b, x + 1000, 1);
        check(&other, c, x + 2000, 1);
    }
    assert_eq!((one.num_stored_items(), other.num_stored_items()), (0, 1), "the table is there as long as the stage");
    drop(pipe);
    assert_free(&one);
    assert_free(&other);
}

#[test]
fn two_pipelines_at_a_time() {
    let _tidy = tidy(300);
    let ring = ring(64);
    let mut made = pipeline! {
        range(200_u64)
            |> process::map_with(ring.clone(), |ring, x| (x, make(ring, x, 2).unwrap()), workers = 2, maxsize = 4)
    };
    let mut more = pipeline! {
        range(200_u64)
            |> process::map_with(ring.clone(), |ring, x| {
                (x, make(ring, x + 1000, 2).unwrap())
            }, workers = 2, maxsize = 4)
    };
    let here = ring.clone();
    let first = made.next().unwrap();
    let checked = pipeline! {
        made |> process::map_with(ring.clone(), |ring, (x, item)| check(ring, item, x, 2), workers = 1, maxsize = 4)
    };
    let both = checked.zip(more.by_ref()).inspect(|((), (x, item))| check(&here, item.clone(), x + 1000, 2));
    assert_eq!(both.count(), 199);
    drop(more);
    check(&ring, first.1, first.0, 2);
    assert_free(&ring);
}

/// The stage, its workers and their successors, and what they made, do without the handle.
#[test]
fn the_buffer_goes_before_the_pipeline() {
    let _tidy = tidy(300);
    let ring = ring(1024);
    let mut stage = process::map_with(source(0..300_u64), ring.clone(), |ring, x| (x, make(ring, x, 2).unwrap()));
    let handle = stage.handle();
    let stage = stage.workers(2).maxsize(4).on_death(OnDeath::Retry(9));
    let mut pipe = pipeline! {
        stage |> process::map_with(ring, |ring, (x, item)| {
            check(ring, item.clone(), x, 2);
            (x, item)
        }, workers = 2, maxsize = 4)
    };
    let mut held: Vec<_> = pipe.by_ref().take(20).collect();
    for pid in handle.pids() {
        signal_child(pid, Signal::KILL);
    }
    held.extend(pipe);
    let mut numbers: Vec<u64> = held.iter().map(|(x, _)| *x).collect();
    numbers.sort_unstable();
    assert!(numbers.into_iter().eq(0..300));
}

// ---- deaths

/// When, in the course of [`Task`], its errand is run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
enum Moment {
    Reading,
    Reserved,
    Filling,
    Stored,
    Encoding,
}

const MOMENTS: [Moment; 5] = [Moment::Reading, Moment::Reserved, Moment::Filling, Moment::Stored, Moment::Encoding];

/// Reads what it is given, and makes something else.
#[derive(Serialize, Deserialize)]
struct Task {
    errand: Errand,
    moment: Moment,
    given: Words,
}

/// The given one, and the one that was made.
#[derive(Serialize, Deserialize)]
struct Done {
    given: Words,
    made: Words,
    last: Last,
}

/// Runs its errand when it is encoded, in the worker.
struct Last {
    n: u64,
    errand: Option<Errand>,
}

impl Serialize for Last {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.errand.as_ref().map(Errand::run);
        self.n.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Last {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self { n: u64::deserialize(deserializer)?, errand: None })
    }
}

const MADE: u64 = 1000;

impl Task {
    fn run(ring: &Ring, task: Self) -> Done {
        let Self { errand, moment, given } = task;
        let n = errand.n;
        let at = |now| {
            if now == moment {
                errand.run();
            }
        };
        let guard = ring.read(given.clone()).unwrap();
        at(Moment::Reading);
        assert_filled(&guard, n);
        drop(guard);
        let mut room = ring.reserve(len(MADE + n, 3)).unwrap();
        at(Moment::Reserved);
        let half = room.len() / 2;
        fill(&mut room[..half], MADE + n);
        at(Moment::Filling);
        fill(&mut room, MADE + n);
        let made = room.commit();
        at(Moment::Stored);
        drop(make(ring, 2 * MADE + n, 1));
        let errand = (moment == Moment::Encoding).then_some(errand);
        Done { given, made, last: Last { n, errand } }
    }
}

impl Done {
    fn check(self, ring: &Ring) -> u64 {
        let n = self.last.n;
        check(ring, self.given, n, 3);
        check(ring, self.made, MADE + n, 3);
        n
    }
}

/// A stage of such tasks below `n`, one of which ends its worker.
#[track_caller]
fn tasks(ring: &Ring, dir: &Path, n: u64, bad: Errand, moment: Moment) -> impl Iterator<Item = Task> + Send + use<> {
    let (ring, dir) = (ring.clone(), dir.to_owned());
    (0..n).map(move |i| {
        let errand = if i == bad.n { bad.clone() } else { Errand::new(&dir, i) };
        Task { errand, moment, given: make(&ring, i, 3).unwrap() }
    })
}

#[test]
fn a_worker_that_dies_at_each_moment() {
    let _tidy = tidy(600);
    let ring = ring(128);
    for deed in [Deed::Kill, Deed::Abort, Deed::Exit(0)] {
        for moment in MOMENTS {
            for (policy, bad, workers) in
                [(OnDeath::Fail, 9, 2), (OnDeath::Retry(2), 0, 1), (OnDeath::Retry(2), 9, 2), (OnDeath::Skip, 9, 2)]
            {
                let scratch = Scratch::new();
                let dir = scratch.dir();
                let errand = if policy == OnDeath::Retry(2) {
                    Errand { times: 2, ..Errand::once(&dir, bad, deed) }
                } else {
                    Errand::always(&dir, bad, deed)
                };
                let stage = process::map_with(source(tasks(&ring, &dir, 20, errand, moment)), ring.clone(), Task::run);
                let mut pipe = Pipeline::new(stage.workers(workers).maxsize(8).on_death(policy));
                let (done, error) = outcome(&mut pipe);
                let mut numbers: Vec<u64> = done.into_iter().map(|done| done.check(&ring)).collect();
                numbers.sort_unstable();
                let runs: Vec<usize> = (0..20).map(|i| runs_of(&dir, i).len()).collect();
                let name = format!("{deed:?}, {moment:?}, {policy:?}: {numbers:?}, {runs:?}, {error:?}");
                match policy {
                    OnDeath::Fail => {
                        let error = error.unwrap_or_else(|| panic!("{name}"));
                        assert_eq!(error.item(), Some(bad), "{name}");
                        assert_says(&error, &["died at this item"]);
                        assert!(numbers.is_sorted_by(|a, b| a < b) && !numbers.contains(&bad), "{name}");
                        assert!(runs.iter().all(|n| *n < 2), "{name}");
                    }
                    OnDeath::Skip => {
                        assert!(error.is_none() && numbers.iter().copied().eq((0..20).filter(|n| *n != bad)), "{name}");
                        assert_eq!(runs, [1; 20], "{name}");
                    }
                    _ => {
                        assert!(error.is_none() && numbers.into_iter().eq(0..20), "{name}");
                        assert!(runs.iter().zip(0..).all(|(runs, i)| *runs == if i == bad { 3 } else { 1 }), "{name}");
                    }
                }
                drop(pipe);
                assert_free(&ring);
            }
        }
    }
}

/// All that a worker had is free as soon as its successor is there, not when the pipeline ends.
#[test]
fn what_a_dead_worker_had_is_free_at_once() {
    let _tidy = tidy(300);
    let ring = ring(8);
    let scratch = Scratch::new();
    let dir = scratch.dir();
    let items: Vec<(u64, PathBuf)> = (0..4).map(|n| (n, dir.clone())).collect();
    let f = |ring: &Ring, (n, dir): (u64, PathBuf)| {
        if n % 2 == 0 {
            let made = make(ring, 5, 2).unwrap();
            let (_guard, _made, _room) = (
                ring.read(made.clone()).unwrap(),
                made,
                ring.reserve::<u8>((6 - len(5, 2).div_ceil(PAGE / 8)) * PAGE).unwrap(),
            );
            Errand::always(&dir, n, Deed::Kill).run();
        }
        // there is no room for this beside what the one before had
        ring.try_reserve::<u8>(8 * PAGE).map(drop)
    };
    let stage = process::map_with(source(items), ring.clone(), f).workers(1).on_death(OnDeath::Skip);
    let mut pipe = Pipeline::new(stage);
    assert_eq!(outcome(&mut pipe).0, [Ok(()), Ok(())]);
    drop(pipe);
    assert_free(&ring);
}

/// What a worker forgets stays until that worker ends, however it does.
#[test]
fn what_a_worker_leaks() {
    let _tidy = tidy(300);
    let ring = ring(64);
    for killed in [false, true] {
        let here = ring.clone();
        let given = move |x: u64| (x, make(&here, x + 1, 1).unwrap());
        let leak = |ring: &Ring, (x, item): (u64, Words)| {
            std::mem::forget(ring.read(item.clone()).unwrap());
            std::mem::forget(ring.reserve::<u8>(1).unwrap());
            std::mem::forget(make(ring, x + 100, 1).unwrap());
            std::mem::forget(item);
        };
        let (feed, numbers) = mpsc::channel();
        let mut stage = process::map_with(source(numbers.into_iter().map(given)), ring.clone(), leak).workers(1);
        let handle = stage.handle();
        let mut pipe = Pipeline::new(stage);
        for x in 0..5 {
            feed.send(x).unwrap();
            pipe.next().unwrap();
        }
        assert_eq!(ring.num_stored_items(), 10);
        assert!(ring.free_ratio() < 1.0);
        if killed {
            assert!(signal_child(handle.pids()[0], Signal::KILL));
            wait_until(|| handle.restarts() == 1);
            assert_free(&ring);
        }
        drop(feed);
        drop(pipe);
        assert_free(&ring);
    }
}

/// The parent has all the room, the workers want some, and one of them is ended while it waits.
#[test]
fn a_worker_that_dies_while_it_waits_for_room() {
    let _tidy = tidy(300);
    let ring = ring(4);
    for deed in [Deed::Kill, Deed::Abort, Deed::Exit(0)] {
        for policy in [OnDeath::Fail, OnDeath::Retry(1), OnDeath::Skip] {
            let scratch = Scratch::new();
            let dir = scratch.dir();
            let all = ring.write(&vec![0_u8; 4 * PAGE][..]).unwrap();
            let bad = Errand::once(&dir, 0, deed);
            let items: Vec<Errand> = (0..6).map(|n| if n == 0 { bad.clone() } else { Errand::new(&dir, n) }).collect();
            let f = |ring: &Ring, errand: Errand| {
                let n = errand.n;
                note(&errand.dir, "asks", n);
                if errand.deed != Deed::Work && runs_of(&errand.dir, n).is_empty() {
                    // another thread ends this process
                    thread::spawn(move || {
                        await_note(&errand.dir, "go");
                        errand.run();
                    });
                }
                ring.write(&[n; PAGE / 8][..]).map(|made| (n, made))
            };
            let mut stage = process::map_with(source(items), ring.clone(), f).workers(2).on_death(policy);
            let handle = stage.handle();
            let mut pipe = Pipeline::new(stage);
            let asks = || notes(&dir, "asks");
            wait_until(|| asks().len() == 2 && asks().contains(&"0".to_owned()));
            // each of their threads sleeps
            wait_until(|| handle.pids().iter().all(|pid| states(*pid).iter().all(|state| *state == 'S')));
            note(&dir, "go", "");
            if policy == OnDeath::Fail {
                // the error comes while the other one still waits
                let error = pipe.try_next().err().unwrap_or_else(|| panic!("{deed:?}"));
                assert_eq!(error.item(), Some(0));
                drop((pipe, all));
                assert_free(&ring);
                continue;
            }
            wait_until(|| handle.restarts() == 1);
            assert_eq!(ring.num_stored_items(), 1);
            drop(all);
            let mut numbers = Vec::new();
            while let Some(made) = pipe.try_next().unwrap() {
                let (n, made) = made.unwrap();
                assert_eq!(*ring.read(made).unwrap(), [n; PAGE / 8]);
                numbers.push(n);
            }
            numbers.sort_unstable();
            assert!(numbers.iter().copied().eq((0..6).filter(|n| policy != OnDeath::Skip || *n != 0)), "{numbers:?}");
            drop(pipe);
            assert_free(&ring);
        }
    }
}

/// The worker's last item but one is done while it is run again: that is not the end.
#[test]
fn the_last_item_is_run_again() {
    let _tidy = tidy(300);
    static RECORDS: Records = Records;
    // elsewhere nothing is logged but this
    (log::set_max_level(log::LevelFilter::Warn), log::set_logger(&RECORDS)).1.unwrap();
    let ring = ring(4);
    let scratch = Scratch::new();
    let dir = scratch.dir();
    *HELD.lock().unwrap() = Some(dir.clone());
    let items = [Errand::once(&dir, 0, Deed::Kill), Errand::always(&dir, 1, Deed::Wait)];
    let f = |ring: &Ring, errand: Errand| (errand.run(), make(ring, errand.n, 1).unwrap());
    let stage = process::map_with(source(items), ring.clone(), f).workers(2).on_death(OnDeath::Retry(1));
    let mut pipe = Pipeline::new(stage);
    let (x, item) = pipe.next().unwrap();
    check(&ring, item, x, 1);
    assert_eq!(x, 1, "the other one is held up in the log");
    linger();
    note(&dir, "on", "");
    let (x, item) = pipe.next().expect("it is run again");
    check(&ring, item, x, 1);
    assert_eq!((x, pipe.next().map(|(x, _)| x)), (0, None));
    *HELD.lock().unwrap() = None;
    drop(pipe);
    assert_free(&ring);
}

/// Where the one who logs that an item is run again waits; it lets the other item go on.
static HELD: Mutex<Option<PathBuf>> = Mutex::new(None);

struct Records;

impl log::Log for Records {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let held = HELD.lock().unwrap().clone();
        if let Some(dir) = held.filter(|_| record.args().to_string().contains("run again")) {
            note(&dir, "go", "");
            await_note(&dir, "on");
        }
    }

    fn flush(&self) {}
}

/// Kills workers at random while items come out.
#[derive(Default)]
struct Killer {
    /// How many items have come out; all there are at the end.
    progress: AtomicU64,
    /// How often it has tried.
    tries: AtomicU64,
}

/// The end of the [`Killer`]'s work, however the test ends.
struct Over<'a>(&'a Killer);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.progress.store(u64::MAX, SeqCst);
    }
}

impl Killer {
    /// So far apart that some items are done between deaths: stages whose workers do nothing but die give up.
    const PAUSE: u64 = 32;

    /// How many it has killed.
    fn run(&self, handles: &[process::WorkersHandle], seed: u64) -> u64 {
        let (mut random, mut kills, mut next) = (Random::new(seed), 0, 0);
        loop {
            next += 12 + random.below(Self::PAUSE - 12);
            wait_until(|| self.progress.load(SeqCst) >= next);
            if self.progress.load(SeqCst) == u64::MAX {
                return kills;
            }
            work(random.below(500));
            let pids = handles[random.below(handles.len() as u64) as usize].pids();
            kills += u64::from(!pids.is_empty() && signal_child(random.one_of(&pids), Signal::KILL));
            self.tries.fetch_add(1, SeqCst);
        }
    }

    /// An item has come out. The killer is not to fall behind.
    fn saw_one(&self) {
        let progress = self.progress.fetch_add(1, SeqCst) + 1;
        wait_until(|| self.tries.load(SeqCst) >= progress / Self::PAUSE);
    }
}

/// A buffer in which the largest item alone leaves little room.
#[test]
fn kills_at_random_in_a_crowded_buffer() {
    let _tidy = tidy(600);
    let ring = ring(12);
    for workers in [2, 4] {
        let n = rounds(2000);
        let mut stage = process::map_with(source(0..n), ring.clone(), |ring, x| (x, make(ring, x, 10).unwrap()))
            .workers(workers)
            .maxsize(16)
            .on_death(OnDeath::Retry(u32::MAX));
        let handle = stage.handle();
        let mut pipe = Pipeline::new(stage);
        let (killer, mut seen) = (Killer::default(), vec![0; n as usize]);
        let kills = thread::scope(|scope| {
            let over = Over(&killer);
            let thread = scope.spawn(|| killer.run(from_ref(&handle), workers as u64));
            while let Some((x, item)) = pipe.try_next().unwrap() {
                check(&ring, item, x, 10);
                seen[x as usize] += 1;
                killer.saw_one();
            }
            drop(over);
            thread.join().unwrap()
        });
        assert!(seen.iter().all(|times| *times == 1), "{seen:?}");
        assert!(kills > 10 && handle.restarts() > 0, "{kills}, {}", handle.restarts());
        drop(pipe);
        assert_free(&ring);
    }
}

/// Two stages whose workers read what the parent and one another made.
#[test]
fn kills_at_random_along_a_chain() {
    let _tidy = tidy(600);
    let ring = ring(160);
    let n = rounds(2000);
    let here = ring.clone();
    let given = move |x: u64| (x, make(&here, x, 1).unwrap());
    let f = |ring: &Ring, (x, given): (u64, Words)| {
        check(ring, given.clone(), x, 1);
        (x, given, make(ring, MADE * 100 + x, 2).unwrap())
    };
    let g = |ring: &Ring, (x, given, made): (u64, Words, Words)| {
        check(ring, given, x, 1);
        check(ring, made, MADE * 100 + x, 2);
        (x, make(ring, MADE * 200 + x, 2).unwrap())
    };
    let options = OnDeath::Retry(u32::MAX);
    let first = process::map_with(source((0..n).map(given)), ring.clone(), f);
    let mut first = first.workers(2).maxsize(8).on_death(options);
    let upper = first.handle();
    let mut second = process::map_with(first, ring.clone(), g).workers(2).maxsize(8).on_death(options);
    let lower = second.handle();
    let mut pipe = Pipeline::new(second);
    let (killer, mut seen) = (Killer::default(), vec![0; n as usize]);
    thread::scope(|scope| {
        let over = Over(&killer);
        let thread = scope.spawn(|| killer.run(&[upper.clone(), lower.clone()], 5));
        while let Some((x, item)) = pipe.try_next().unwrap() {
            check(&ring, item, MADE * 200 + x, 2);
            seen[x as usize] += 1;
            killer.saw_one();
        }
        drop(over);
        assert!(thread.join().unwrap() > 10);
    });
    assert!(seen.iter().all(|times| *times == 1), "{seen:?}");
    assert!(upper.restarts() > 0 && lower.restarts() > 0);
    drop(pipe);
    assert_free(&ring);
}

// ---- early ends

/// Wherever it is cut: what is held can still be read, the rest is free at once, and the next pipeline has the buffer.
#[test]
fn cut_anywhere() {
    let _tidy = tidy(600);
    let (large, small) = (ring(256), ring(6));
    let mut random = Random::new(3);
    for round in 0..rounds(40) {
        let workers = 1 + random.below(3) as usize;
        let cut = random.below(40) as usize;
        let (mut held, mut drained) = (Vec::new(), 0);
        let here = large.clone();
        let mut chain = pipeline! {
            range(1000_u64) |> map(move |x| (x, make(&here, x, 2).unwrap()))
                |> process::map_with(large.clone(), |ring, (x, given)| (x, given, make(ring, MADE + x, 2).unwrap()),
                    workers = workers, maxsize = 8)
                |> process::map_with(large.clone(), |ring, (x, given, made)| {
                    check(ring, given, x, 2);
                    (x, made)
                }, workers = workers, maxsize = 8)
        };
        // more wait for room than get it
        let mut crowd = pipeline! {
            range(1000_u64)
                |> process::map_with(small.clone(), |ring, x| make(ring, x, 4), workers = workers, maxsize = 16)
        };
        for _ in 0..cut {
            let (x, item) = chain.next().unwrap();
            if random.below(2) == 0 {
                held.push((x, item));
            }
            crowd.next().unwrap().unwrap();
            drained += 1;
        }
        work(random.below(2000));
        if round % 2 == 0 {
            chain.stop();
            crowd.stop();
        }
        drop((chain, crowd));
        assert_eq!((drained, large.num_stored_items()), (cut, held.len()));
        for (x, item) in held {
            check(&large, item, MADE + x, 2);
        }
        assert_free(&large);
        assert_free(&small);
    }
}

#[test]
fn a_panic_of_the_consumer() {
    let _tidy = tidy(300);
    let ring = ring(64);
    for at in [0, 1, 30] {
        let here = ring.clone();
        let panic = catch_unwind(AssertUnwindSafe(move || {
            let ring = here;
            let made = pipeline! {
                range(1000_u64) |> process::map_with(ring.clone(), |ring, x| make(ring, x, 2), workers = 2, maxsize = 8)
            };
            let mut guards = Vec::new();
            for (i, item) in made.enumerate() {
                guards.push(ring.read(item.unwrap()).unwrap());
                let _room = ring.reserve::<u8>(1).unwrap();
                assert!(i != at, "no more of this");
                guards.truncate(3);
            }
        }));
        assert!(panic.is_err());
        assert_free(&ring);
    }
}

#[test]
fn a_panic_of_the_function() {
    let _tidy = tidy(300);
    let ring = ring(64);
    let f = |ring: &Ring, x: u64| {
        let made = make(ring, x, 2).unwrap();
        let _guard = ring.read(made.clone()).unwrap();
        let _room = ring.reserve::<u64>(100).unwrap();
        assert!(x != 17, "no more of this");
        made
    };
    let mut pipe = pipeline! { range(1000_u64) |> process::map_with(ring.clone(), f, workers = 2, maxsize = 8) };
    let (made, error) = outcome(&mut pipe);
    assert_eq!(error.map(|error| error.item()), Some(Some(17)));
    drop((pipe, made));
    assert_free(&ring);
}

/// A result with something in it that can't be encoded in the worker, or not be decoded here: its references come to
/// nothing.
#[test]
fn results_that_do_not_arrive() {
    struct Fragile {
        there: bool,
        here: bool,
    }
    impl Serialize for Fragile {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            if self.there {
                return Err(serde::ser::Error::custom("it does not like to travel"));
            }
            self.here.serialize(serializer)
        }
    }
    impl<'de> Deserialize<'de> for Fragile {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            match bool::deserialize(deserializer)? {
                true => Err(serde::de::Error::custom("broken")),
                false => Ok(Self { there: false, here: false }),
            }
        }
    }
    let _tidy = tidy(300);
    let ring = ring(64);
    for (there, says) in
        [(true, "could not be encoded in the worker: it does not like to travel"), (false, "could not be decoded")]
    {
        let f = |ring: &Ring, (x, there): (u64, bool)| {
            let made = || make(ring, x, 2).unwrap();
            (made(), Fragile { there: there && x == 7, here: !there && x == 7 }, made())
        };
        let items = (0..20).map(move |x| (x, there));
        let mut pipe = pipeline! { items |> process::map_with(ring.clone(), f, workers = 2) };
        let (results, error) = outcome(&mut pipe);
        let error = error.expect("an error");
        assert_eq!(error.item(), Some(7));
        assert_says(&error, &[says]);
        drop((pipe, results));
        assert_free(&ring);
    }
}

// ---- no room

/// Where a worker waits for room, while its pipeline ends.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
enum Wait {
    Write,
    Reserve,
    /// By the other of two handles that came.
    Other,
    /// In a thread of its own.
    Thread,
    /// In a thread queue.
    Queue,
}

/// It is told, gives up, and ends by itself: nobody waits for `end_timeout`, and nobody is killed.
#[test]
fn a_worker_that_waits_for_room_when_its_pipeline_ends() {
    let _tidy = tidy(300);
    let ring = ring(4);
    for wait in [Wait::Write, Wait::Reserve, Wait::Other, Wait::Thread, Wait::Queue] {
        for stopped in [true, false] {
            let scratch = Scratch::new();
            let dir = scratch.dir();
            let all = ring.write(&vec![0_u8; 4 * PAGE][..]).unwrap();
            let items: Vec<_> = (0..50).map(|_| (dir.clone(), wait)).collect();
            let f = |(ring, other): &(Ring, Ring), (dir, wait): (PathBuf, Wait)| {
                note(&dir, "asks", "");
                let answer = match wait {
                    Wait::Write => ring.write("something").map(drop),
                    Wait::Reserve => ring.reserve::<u64>(1000).map(drop),
                    Wait::Other => other.write("something").map(drop),
                    Wait::Thread => thread::scope(|s| s.spawn(|| ring.write("something").map(drop)).join().unwrap()),
                    Wait::Queue => {
                        let ring = ring.clone();
                        let queue =
                            pipeline! { range(1_u64) |> thread::map(move |x| ring.write(&x).map(drop), workers = 1) };
                        queue.collect::<Result<(), _>>()
                    }
                };
                note(&dir, "answers", format_args!("{answer:?}"));
            };
            let context = (ring.clone(), ring.clone());
            let mut pipe = Pipeline::new(process::map_with(source(items), context, f).workers(2).end_timeout(HOUR));
            wait_until(|| notes(&dir, "asks").len() == 2);
            linger();
            if stopped {
                pipe.stop();
            }
            drop(pipe);
            assert_eq!(notes(&dir, "answers"), ["Err(Stopped)", "Err(Stopped)"], "{wait:?}");
            drop(all);
            assert_free(&ring);
        }
    }
}

/// What waits for room within a worker is given up when the worker itself has enough of it.
#[test]
fn a_queue_in_a_worker_that_is_dropped_while_it_waits_for_room() {
    let _tidy = tidy(300);
    let ring = ring(4);
    let all = ring.write(&vec![0_u8; 3 * PAGE][..]).unwrap();
    let f = |ring: &Ring, x: u64| {
        let theirs = ring.clone();
        let mut queue =
            pipeline! { range(9_u64) |> thread::map(move |x| theirs.write(&x), workers = 2, end_timeout = HOUR) };
        let first = queue.next().unwrap().unwrap();
        drop(queue);
        assert!(ring.read_owned(first).unwrap() < 2);
        x
    };
    assert_eq!(pipeline! { range(5_u64) |> process::map_with(ring.clone(), f, workers = 1) |> count() }, 5);
    drop(all);
    assert_free(&ring);
}

/// The feeder waits for room in the parent, and the workers have nothing to do.
#[test]
fn a_source_that_waits_for_room_when_its_pipeline_ends() {
    let _tidy = tidy(300);
    let ring = ring(4);
    for read in [0, 1] {
        let here = ring.clone();
        let given = move |x: u64| here.write(&vec![x; PAGE / 8][..]);
        let f = |ring: &Ring, given: Result<Words, ShmError>| {
            given.map(|given| (ring.read(given.clone()).unwrap()[0], given))
        };
        let stage = process::map_with(source((0..100).map(given)), ring.clone(), f).workers(2).end_timeout(HOUR);
        let mut pipe = Pipeline::new(stage);
        let held: Vec<_> = pipe.by_ref().take(read).collect();
        wait_until(|| ring.free_ratio() == 0.0);
        linger();
        drop(pipe);
        assert_eq!(ring.num_stored_items(), read);
        drop(held);
        assert_free(&ring);
    }
}

/// All room is in the hands of workers that want more: one of them is told so, and makes room for the others.
#[test]
fn workers_that_wait_for_one_another() {
    let _tidy = tidy(300);
    for workers in [2, 4] {
        let ring = ring(workers);
        let f = |ring: &Ring, n: usize| {
            let mine = ring.write(&[0_u8; PAGE][..])?;
            wait_until(|| ring.num_stored_items() == n);
            let read = ring.read(mine.clone())?;
            ring.write(&[1_u8; 1][..])?;
            drop((mine, read));
            Ok(())
        };
        let items = vec![workers; workers];
        let ends: Vec<Result<(), ShmError>> =
            pipeline! { items |> process::map_with(ring.clone(), f, workers = workers) |> collect() };
        let told = ends.iter().filter(|end| end.is_err()).count();
        assert!(told > 0 && told < workers, "{ends:?}");
        let error = ends.into_iter().find_map(Result::err).unwrap();
        assert!(matches!(error, ShmError::Deadlock { needed: 1, .. }), "{error:?}");
        assert!(
            error.to_string().starts_with("no room for 1 byte in shared memory, and nobody who could make room: "),
            "{error}"
        );
        assert_free(&ring);
    }
}

/// All room is taken by inputs that wait for workers, and these wait for room for their results: one of them is told so, again and
/// again, and the others go on.
#[test]
fn inputs_that_fill_the_buffer() {
    let _tidy = tidy(300);
    for (workers, read) in [(1, true), (1, false), (2, true), (2, false)] {
        let ring = ring(4);
        let here = ring.clone();
        let given = move |x: u64| here.write(&vec![x; PAGE / 8][..]).unwrap();
        let f = |ring: &Ring, (given, read): (Words, bool)| -> Result<Words, ShmError> {
            let guard = if read { Some(ring.read(given)?) } else { None };
            let made = ring.write(&[guard.map_or(0, |words| words[0]); PAGE / 8][..])?;
            Ok(made)
        };
        let items = (0..12).map(move |x| (given(x), read));
        let stage = process::map_with(source(items), ring.clone(), f).workers(workers);
        let ends: Vec<_> = Pipeline::new(stage).map(|end| end.map(|made| ring.read(made).unwrap()[0])).collect();
        let told: Vec<_> = ends.iter().filter_map(|end| end.as_ref().err()).collect();
        assert!(!told.is_empty() && ends.len() == 12, "{ends:?}");
        for error in told {
            assert!(matches!(error, ShmError::Deadlock { needed: PAGE, .. }), "{error:?}");
            assert!(error.to_string().contains("4 items, 0 bytes free, 0 bytes in one piece"), "{error}");
        }
        assert_free(&ring);
    }
}

/// What takes the room is held here, by an item that can't get on and by something else: that may be dropped at any time.
#[test]
fn inputs_that_fill_the_buffer_together_with_what_is_held_here() {
    let _tidy = tidy(300);
    for clone in [false, true] {
        let ring = ring(2);
        let input = ring.write(&[7_u64; PAGE / 8][..]).unwrap();
        // the item's own share, which somebody else has, too; or another thing
        let held = if clone { input.clone() } else { ring.write(&[8_u64; PAGE / 8][..]).unwrap() };
        let pages = if clone { 2 } else { 1 };
        let f = |ring: &Ring, (given, pages): (Words, usize)| {
            let words = ring.read(given)?[0] as usize;
            ring.reserve::<u8>(pages * PAGE).map(|_| words)
        };
        let stage = process::map_with(source([(input, pages)]), ring.clone(), f).workers(1);
        let mut pipe = Pipeline::new(stage);
        // longer than it takes to tell; if this is too short it proves nothing
        thread::sleep(Duration::from_secs(1));
        drop(held);
        match pipe.next() {
            Some(Ok(7)) if !clone => {}
            // only now nobody is left who could
            Some(Err(ShmError::Deadlock { needed, .. })) if clone => assert_eq!(needed, 2 * PAGE),
            other => panic!("{other:?}"),
        }
        assert!(pipe.next().is_none());
        drop(pipe);
        assert_free(&ring);
    }
}

/// A worker has finished an item, waits with its result for company, and then for the room that this result is to free.
/// However late the worker comes to it: the parent looks.
#[test]
fn a_result_that_was_not_sent_holds_up_nobody() {
    let _tidy = tidy(300);
    let ring = ring(1);
    for waits in [true, false] {
        let (feed, items) = mpsc::channel::<(Option<Words>, bool)>();
        let f = |ring: &Ring, (given, waits): (Option<Words>, bool)| match (given, waits) {
            (Some(_), _) => None,
            (None, true) => Some(ring.write(&[1; 10][..]).unwrap()),
            // at least it gives others the chance
            (None, false) => loop {
                match ring.try_write(&[1; 10][..]) {
                    Err(ShmError::Full { .. }) => thread::yield_now(),
                    written => break Some(written.unwrap()),
                }
            },
        };
        let mut stage = process::map_with(source(items), ring.clone(), f).workers(1);
        let handle = stage.handle();
        let mut pipe = Pipeline::new(stage);
        for _ in 0..20 {
            wait_until(|| handle.workers() == 1);
            let pid = handle.pids()[0];
            assert!(signal_child(pid, Signal::STOP));
            wait_until(|| stands_still(pid));
            // the parent has looked in vain by the time that the worker sees them, both at once
            feed.send((Some(ring.write(&[7; 10][..]).unwrap()), waits)).unwrap();
            feed.send((None, waits)).unwrap();
            linger();
            assert!(signal_child(pid, Signal::CONT));
            assert!(pipe.next().unwrap().is_none());
            assert_eq!(*ring.read(pipe.next().unwrap().unwrap()).unwrap(), [1; 10]);
        }
        drop(feed);
        assert!(pipe.next().is_none());
        drop(pipe);
        assert_free(&ring);
    }
}

#[test]
fn too_large_an_item_from_a_worker() {
    let _tidy = tidy(300);
    let ring = ring(4);
    let sizes: Vec<Result<(), ShmError>> = pipeline! {
        [4, 5]
            |> process::map_with(ring.clone(), |ring, n| ring.write(&vec![0_u8; n * PAGE][..]).map(drop), workers = 1)
            |> collect()
    };
    assert_eq!(sizes, [Ok(()), Err(ShmError::TooLarge { needed: 5 * PAGE, capacity: 4 * PAGE })]);
    let mut pipe = pipeline! {
        range(9_usize) |> process::map_with(ring.clone(), |ring, pages| {
            ring.reserve::<u8>(pages * PAGE).unwrap_or_else(|error| panic!("{error}")).commit()
        }, workers = 1)
    };
    let mut sizes = Vec::new();
    let error = loop {
        match pipe.try_next() {
            Ok(item) => sizes.push(ring.read(item.unwrap()).unwrap().len()),
            Err(error) => break error,
        }
    };
    assert_eq!(error.item(), Some(5));
    assert_says(&error, &["20.0 KiB can't be stored in shared memory of 16.0 KiB"]);
    drop(pipe);
    assert_free(&ring);
}

// ---- where a buffer can't go

#[test]
fn a_buffer_in_an_item() {
    let _tidy = tidy(300);
    let ring = ring(4);
    let items = (0..5).map({
        let ring = ring.clone();
        move |x| (x, (x == 3).then(|| vec![ring.clone()]))
    });
    let stage = process::map(source(items), |(x, rings): (u64, Option<Vec<Ring>>)| {
        x + rings.map_or(0, |rings| rings.len() as u64)
    });
    let mut pipe = Pipeline::new(stage.workers(2));
    let error = outcome(&mut pipe).1.expect("an error");
    assert_eq!(error.item(), Some(3));
    assert_says(
        &error,
        &["Option<alloc::vec::Vec<", "holds a ring buffer", "only as the context of `process::map_with`"],
    );
    drop(pipe);
    assert_free(&ring);
}

#[test]
fn a_buffer_in_a_result() {
    let _tidy = tidy(300);
    let ring = ring(4);
    let f = |ring: &Ring, x: u64| (ring.write(&x).unwrap(), ring.clone());
    let mut pipe = pipeline! { range(3_u64) |> process::map_with(ring.clone(), f, workers = 1) };
    let error = outcome(&mut pipe).1.expect("an error");
    assert_says(
        &error,
        &["could not be encoded in the worker", "can't be sent on by a worker", "make one in the worker"],
    );
    drop(pipe);
    assert_free(&ring);
}

/// A worker's own workers can't have it, in whatever way; one that the worker made they can.
#[test]
fn a_buffer_that_a_worker_sends_on() {
    let _tidy = tidy(300);
    let ring = ring(4);
    let f = |ring: &Ring, way: u64| match way {
        0 => {
            let f = |ring: &Ring, x: u64| ring.write(&x).is_ok();
            let mut inner = pipeline! { range(3_u64) |> process::map_with(ring.clone(), f, workers = 1) };
            inner.try_next().expect_err("it can't").to_string()
        }
        1 => {
            let items = [ring.clone()];
            let mut inner = pipeline! { items |> process::map(|ring: Ring| ring.capacity(), workers = 1) };
            inner.try_next().expect_err("it can't").to_string()
        }
        _ => {
            let own = Ring::new(8 * PAGE).unwrap();
            let f = |ring: &Ring, x: u64| (x, make(ring, x, 2).unwrap());
            let inner = pipeline! { range(20_u64) |> process::map_with(own.clone(), f, workers = 2, maxsize = 1) };
            inner.for_each(|(x, item)| check(&own, item, x, 2));
            format!("{}, {}", own.num_stored_items(), own.free_ratio())
        }
    };
    let texts: Vec<String> = pipeline! { range(3_u64) |> process::map_with(ring.clone(), f, workers = 1) |> collect() };
    for text in &texts[..2] {
        assert!(
            text.contains("could not be encoded")
                && text.contains("can't be sent on by a worker: make one in the worker"),
            "{text}"
        );
    }
    assert!(texts[0].contains("the context, of type"), "{}", texts[0]);
    assert_eq!(texts[2], "0, 1");
    assert_free(&ring);
}

/// By hand, into JSON or whatever: not the buffer. A reference is but a name there.
#[test]
fn a_buffer_that_is_serialised_elsewhere() {
    let _tidy = tidy(300);
    let ring = ring(4);
    let error = serde_json::to_string(&ring).unwrap_err().to_string();
    assert_eq!(
        error,
        "a `process::SharedMemoryRingBuffer` can only be sent to a worker, as the context of `process::map_with`"
    );
    let error = serde_json::from_str::<Ring>(r#"{"place":0,"ring":1,"len":4096}"#).unwrap_err().to_string();
    assert!(error.contains("can only be sent to a worker"), "{error}");
    let item = ring.write("text").unwrap();
    let json = serde_json::to_string(&item).unwrap();
    // from the parent to a worker and back: the item is held by who sent it
    let f = |ring: &Ring, (item, json): (ShmRef<str>, String)| {
        let named: ShmRef<str> = serde_json::from_str(&json).unwrap();
        let texts = (ring.read_owned(named).unwrap(), ring.read_owned(item).unwrap());
        let own = ring.write("gone when this returns").unwrap();
        let by_hand = (serde_json::to_string(ring).unwrap_err().to_string(), serde_json::to_string(&own).unwrap());
        (texts, by_hand)
    };
    let given = [(item, json.clone())];
    let mut pipe = pipeline! { given |> process::map_with(ring.clone(), f, workers = 1) };
    let (texts, (error, own)) = pipe.next().unwrap();
    assert_eq!(texts, ("text".to_owned(), "text".to_owned()));
    assert!(error.contains("can't be sent on by a worker"), "{error}");
    wait_until(|| ring.num_stored_items() == 0);
    for stale in [json, own] {
        let stale: ShmRef<str> = serde_json::from_str(&stale).unwrap();
        assert_eq!(ring.read(stale).unwrap_err(), ShmError::Stale);
    }
    drop(pipe);
    assert_free(&ring);
}
