//! Walks through the language, in the order of the README, and prints what each pipeline gives.
//!
//! ```text
//! cargo run --release --example tour
//! ```
//!
//! Every result is asserted, too: the tour exits with 0 only if it is right.

use std::{
    collections::BTreeMap,
    error::Error,
    fs, panic, thread,
    thread::sleep,
    time::{Duration, Instant},
};
use tinypl::dataloader::{self, rand::RngExt};
use tinypl::{Like, Pipe, Pipeline, map, pipeline, process::SharedMemoryRingBuffer};

fn main() -> Result<(), Box<dyn Error>> {
    in_ten_lines()?;
    basics();
    sinks();
    laziness();
    sharing();
    iterators_and_iterables();
    threads();
    markers();
    ordering();
    processes();
    shared_memory()?;
    data_loader();
    seeing_a_pipeline();
    errors();
    handles();
    own_stages();
    println!("\nThat was the tour.");
    Ok(())
}

/// The lines of each example beside this one, read by four threads, in the order of their names.
fn in_ten_lines() -> Result<(), Box<dyn Error>> {
    title("In ten lines");

    let files = pipeline! {
        fs::read_dir(env!("CARGO_MANIFEST_DIR"))?
        |> try_map(|entry| entry)
        |> map(|entry| entry.path())
        |> filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        |> o @ order::save(64)
        |> thread::map(|path| fs::read_to_string(&path).map(|text| (path, text)), workers = 4)
        |> order::load(o)
        |> try_map(|file| file)
        |> map(|(path, text)| (path.file_name().map(ToOwned::to_owned), text.lines().count()))
        |> try_collect::<BTreeMap<_, _>>()
    }?;
    for (name, lines) in &files {
        println!("  {:12} {lines:4} lines", name.as_deref().unwrap_or_default().display());
    }
    assert!(files.len() >= 5);
    Ok(())
}

/// A source, stages, and three ways to pull.
fn basics() {
    title("Basics");

    let mut pipe = pipeline! {
        range(100)
        |> map(|x| 3 * x + 1)
        |> filter(|x| x % 2 == 0)
        |> partition(2)
    };
    show("one item", pipe.next(), Some(vec![4, 10]));
    for pair in pipe.by_ref().take(2) {
        println!("  in a loop: {pair:?}");
    }
    show("the number of those left", pipe.count(), 22);
}

/// A chain that ends in a sink runs; its value is the result.
fn sinks() {
    title("Sinks");

    let doubled = pipeline! { [1, 2, 3] |> map(|x| 2 * x) |> collect::<Vec<_>>() };
    show("collect", doubled, vec![2, 4, 6]);
    let short = pipeline! { "to be or not to be".split(' ') |> filter(|word| word.len() == 2) |> count() };
    show("count", short, 5);
    let word = pipeline! { ["pipe", "line"] |> fold(String::new(), |word, part| word + part) };
    show("fold", word.as_str(), "pipeline");
    pipeline! { range(3) |> for_each(|x| println!("  for_each: {x}")) }
}

/// Nothing is computed before it is asked for, and what was taken is gone.
fn laziness() {
    title("Laziness");

    let mut squared = Vec::new();
    let mut pipe = pipeline! { range(1, 1_000_000) |> map(|x| { squared.push(x); x * x }) };
    show("first", pipe.next(), Some(1));
    show("second", pipe.next(), Some(4));
    drop(pipe);
    show("squared so far", squared, vec![1, 2]);

    let mut pipe = pipeline! { range(10) |> map(|x| 10 * x) };
    show("three of it", pipeline! { &mut pipe |> take(3) |> collect::<Vec<_>>() }, vec![0, 10, 20]);
    show("the next one", pipe.next(), Some(30));
}

/// Named tracks: whoever pulls takes the next item.
fn sharing() {
    title("Sharing");

    pipeline! {
        let mut mapped = range(100) |> map(|x| x + 1);
        let mut odd    = mapped |> filter(|x| x % 2 == 1);
        let mut even   = mapped |> filter(|x| x % 2 == 0);
    }
    show("mapped", mapped.next(), Some(1));
    show("odd", odd.next(), Some(3));
    show("even", even.next(), Some(4));
    show("even", even.next(), Some(6));
    show("mapped", mapped.next(), Some(7));

    let pairs = pipeline! {
        let numbers = range(6);
        numbers |> zip(numbers) |> collect::<Vec<_>>()
    };
    show("a track zipped with itself", pairs, vec![(0, 1), (2, 3), (4, 5)]);
}

/// Two pipelines over one iterable both begin at its start; over one iterator they take turns.
fn iterators_and_iterables() {
    title("Iterators and iterables");

    let numbers = vec![0, 1, 2, 3, 4];
    let mut one = pipeline! { &numbers |> map(|x| x + 1) };
    let mut two = pipeline! { &numbers |> map(|x| x + 1) };
    show("of an iterable", (one.next(), two.next()), (Some(1), Some(1)));

    let mut numbers = numbers.into_iter();
    let mut one = pipeline! { &mut numbers |> map(|x| x + 1) };
    let first = one.next();
    let mut two = pipeline! { &mut numbers |> map(|x| x + 1) };
    show("of an iterator", (first, two.next()), (Some(1), Some(2)));

    let lengths = pipeline! { ["to", "be", "or", "not"] |> map(|word| word.len()) };
    show("a pipeline is an iterator, here its sum", lengths.sum::<usize>(), 9);
}

/// Workers pull what stands above their queue, and prefetch.
fn threads() {
    title("Threads");

    let pipe = pipeline! {
        range(100)
        |> map(|x| 2 * x)
        |> thread::queue(workers = 4, maxsize = 8)
    };
    let mut items: Vec<_> = pipe.collect();
    println!("  ten of a queue, as they came: {:?}", &items[..10]);
    items.sort();
    show("all are there", items == (0..100).map(|x| 2 * x).collect::<Vec<_>>(), true);

    let sum: i32 = pipeline! {
        range(100)                  // ┐
        |> map(|x| x + 1)           // │ run by these four workers
        |> thread::queue(4)         // ┘
        |> map(|x| x * 2)           // ┐ run by these two
        |> thread::queue(2)         // ┘
        |> filter(|x| x % 3 == 0)   //   run by the caller
    }
    .sum();
    show("the sum after stacked queues", sum, 3366);

    let begin = Instant::now();
    let naps = pipeline! {
        range(20)
        |> thread::each(|_| sleep(Duration::from_millis(10)), workers = 20)
        |> count()
    };
    println!("  {naps} naps of 10 ms by 20 workers took {} ms", begin.elapsed().as_millis());

    let palindromes = pipeline! {
        ["level", "stats", "queue", "refer"]
        |> thread::map_init(String::new, |buffer, word| {
            buffer.clear();
            buffer.extend(word.chars().rev());
            buffer == word
        }, workers = 2)
        |> filter(|is_palindrome| *is_palindrome)
        |> count()
    };
    show("palindromes, with a buffer for each worker", palindromes, 3);

    let mut total = 0;
    let mut sums = pipeline! {
        range(1, 5)
        |> map(move |x| { total += x; total })
        |> thread::mutex()
        |> thread::map(|sum| 10 * sum, workers = 16)
        |> collect::<Vec<_>>()
    };
    sums.sort();
    show("one at a time upstream of a mutex", sums, vec![10, 30, 60, 100]);

    let text = String::from("no word of it is copied");
    let longest = thread::scope(|s| {
        pipeline! {
            text.split(' ')
            |> thread::map(|word| word.len(), workers = 2, scope = s)
            |> fold(0, usize::max)
        }
    });
    show("the longest word of borrowed text, in a scope", longest, 6);
}

/// Signals that travel with the items.
fn markers() {
    title("Markers");

    pipeline! {
        let mut pipe =
            range(50)
            |> map(|i| 0..=i)                       // [0]     [0, 1]     [0, 1, 2]     …
            |> m @ marker::insert_periodic()        // [0]  m  [0, 1]  m  [0, 1, 2]  m  …
            |> flatten()                            //  0   m   0, 1   m   0, 1, 2   m  …
            |> map(|x| x + 1);                      //  1   m   1, 2   m   1, 2, 3   m  …
    }
    let mut next = || pipeline! { &mut pipe |> marker::until(m) |> collect::<Vec<_>>() };
    show("until the marker", next(), vec![1]);
    show("until the next", next(), vec![1, 2]);
    show("until the next", next(), vec![1, 2, 3]);

    let mut hundreds = 0;
    let items = pipeline! {
        range(1000)
        |> m @ marker::insert_periodic(n = 100)
        |> filter(|x| x % 7 == 0)
        |> marker::on(|| hundreds += 1, m)
        |> count()
    };
    show("items, and hundreds of the input", (items, hundreds), (143, 10));

    let parts = pipeline! {
        range(7)
        |> marker::insert_periodic(4)
        |> partition(3, split_on_marker = true)
        |> collect::<Vec<_>>()
    };
    show("split where a marker stands", parts, vec![vec![0, 1, 2], vec![3], vec![4, 5, 6]]);
}

/// What threads bring into disorder comes back in order; what is filtered out leaves no gap.
fn ordering() {
    title("Ordering");

    let items: Vec<u64> = pipeline! {
        range(50)
        |> o @ order::save(maxsize = 8)
        |> thread::each(|x| sleep(Duration::from_millis(x * 7 % 5)), workers = 8)
        |> filter(|x| x % 2 == 0)
        |> order::load(o)
        |> collect()
    };
    show("in order, without the odd ones", items, (0..50).step_by(2).collect());
}

/// The same word for processes: contexts, states, and a function that kills its worker.
fn processes() {
    title("Processes");

    let squares: Vec<u64> = pipeline! {
        range(100_u64)
        |> o @ order::save(16)
        |> process::map(|x| x * x, workers = 2)
        |> order::load(o)
        |> collect()
    };
    show("the last square", squares[99], 9801);

    let stop_words = vec!["the".to_owned(), "of".to_owned()];
    let kept = pipeline! {
        ["the", "state", "of", "art"].map(String::from)
        |> process::map_with(stop_words, |stop_words, word: String| !stop_words.contains(&word), workers = 2)
        |> filter(|keep| *keep)
        |> count()
    };
    show("words that a context lets through", kept, 2);

    let lengths: Vec<usize> = pipeline! {
        [1, 2, 3]
        |> process::map_init(Vec::new, |seen, x: u32| { seen.push(x); seen.len() }, workers = 1)
        |> collect()
    };
    show("what a worker's state has seen", lengths, vec![1, 2, 3]);

    let mut survived: Vec<u32> = pipeline! {
        range(6_u32)
        |> process::map(|x| if x == 3 { std::process::abort() } else { x }, workers = 2, on_death = skip)
        |> collect()
    };
    survived.sort();
    show("an abort costs one item", survived, vec![0, 1, 2, 4, 5]);
}

/// Large arrays, filled by workers and read here, in place.
fn shared_memory() -> Result<(), Box<dyn Error>> {
    title("Shared memory");

    let ring = SharedMemoryRingBuffer::new(16 << 20)?;
    let images = pipeline! {
        range(4_usize)
        |> process::map_with(ring.clone(), |ring, i| {
            let mut image = ring.reserve::<f32>(1 << 20).expect("it fits");
            image.fill(i as f32);
            image.commit()
        }, workers = 2)
    };
    let mut sum = 0.0;
    for image in images {
        let image = ring.read(image)?;
        assert!(image.iter().all(|x| *x == image[0]));
        sum += image[0];
    }
    show("the sum of one pixel of each", sum, 6.0);
    show("items left in the buffer", ring.num_stored_items(), 0);
    Ok(())
}

/// Batches for training: sampled, loaded by threads, in the sampler's order.
fn data_loader() {
    title("The data loader");

    let images = dataloader::from_fn(10, |index| vec![index; 3]);
    pipeline! {
        let mut batches = e @ dataloader::load(
            images,
            batchsize = 4,
            sampler = sampler::sequential().epochs(2),
            map = thread(workers = 2),
            collate = |images| images.concat(),
            epoch_end = drop_last);
    }
    for epoch in 0..2 {
        let lengths = pipeline! { &mut batches |> marker::until(e) |> map(|batch| batch.len()) |> collect::<Vec<_>>() };
        show(&format!("the batches of epoch {epoch}"), lengths, vec![12, 12]);
    }
    let noise = |epoch| dataloader::rng(42, epoch, 7).random_range(0..1000);
    show("sample 7 is augmented alike each time", (noise(0), noise(1)), (noise(0), noise(1)));
    let noisy = |workers: usize| {
        let samples = dataloader::augment(vec![10, 20, 30], 42, |x: i32, rng| x + rng.random_range(-5..5));
        pipeline! {
            dataloader::load(samples, batchsize = 3, sampler = sampler::sequential().epochs(2), map = thread(workers = workers))
                |> collect::<Vec<_>>()
        }
    };
    show("and with any number of workers", noisy(3), noisy(1));

    let files = dataloader::from_fn(3, |index| if index < 2 { Ok(index) } else { Err("no such file") });
    let mut batches = pipeline! { dataloader::load(files, batchsize = 2, fallible = true) };
    show("what could be loaded", batches.next(), Some(vec![0, 1]));
    let error = batches.try_next().expect_err("there is no file 2");
    show("and what not", error.message(), "sample 2 of epoch 0: no such file");

    let shuffled = || {
        pipeline! { dataloader::load(vec![1, 2, 3, 4, 5], batchsize = 5, sampler = sampler::shuffle(42).epochs(1)) |> flatten() |> collect::<Vec<_>>() }
    };
    show("the same seed gives the same order", shuffled(), shuffled());
}

/// What it looks like, and where its time goes.
fn seeing_a_pipeline() {
    title("Seeing a pipeline");

    fn decode(n: u32) -> u32 {
        sleep(Duration::from_millis(1));
        n
    }
    let mut pipe = pipeline! {
        range(60) |> filter(|n| n % 2 == 0) |> o @ order::save(16) |> thread::map(decode, workers = 2) |> order::load(o)
    };
    let graph = pipe.graph();
    let names: Vec<&str> = graph.nodes().iter().map(|node| node.name()).collect();
    show("its stages", names, vec!["range", "filter", "order::save", "thread::map", "order::load"]);
    for line in graph.to_mermaid().lines().skip(1).take(3) {
        println!("  {line}");
    }
    show("as a picture", graph.to_svg().starts_with("<svg "), true);
    let monitor = pipe.monitor();
    show("items", pipe.by_ref().count(), 30);
    for line in monitor.report().to_string().lines() {
        println!("  {line}");
    }
}

/// A failure is one error with its place, and never an early end.
fn errors() {
    title("Errors");

    let numbers = pipeline! {
        ["1", "2", "three", "4"]
        |> try_map(|s| s.parse::<i32>())
        |> try_collect::<Vec<_>>()
    };
    let error = numbers.unwrap_err();
    println!("  an Err: {error}");
    assert_eq!((error.stage(), error.item()), (Some("try_map"), Some(2)));

    let mut pipe = pipeline! {
        range(10)
        |> thread::map(|x| if x < 3 { x } else { panic!("no {x}") }, workers = 1)
    };
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {})); // The panic is meant: keep its usual message off stderr.
    let error = loop {
        match pipe.try_next() {
            Ok(Some(x)) => println!("  {x}"),
            Ok(None) => unreachable!("the end and an error are told apart"),
            Err(error) => break error,
        }
    };
    panic::set_hook(hook);
    println!("  a panic: {error}");
    assert_eq!((error.message(), error.item()), ("panicked: no 3", Some(3)));
}

/// `NAME @` binds live figures and levers.
fn handles() {
    title("Handles");

    pipeline! {
        let mut pipe =
            range(100)
            |> o @ order::save(8)
            |> q @ thread::map(|x| x + 1, workers = 4, maxsize = 16)
            |> order::load(o);
    }
    show("workers and maxsize", (q.workers(), q.maxsize()), (4, 16));
    println!("  results that lie ready: {}", q.fill());
    o.set_maxsize(32);
    show("first", pipe.next(), Some(1));
    pipe.stop();
}

/// Twice each item.
fn double<P: Pipe<Item = i32>>(up: P) -> impl Like<P, Item = i32> {
    map(up, |x| 2 * x)
}

/// A function of an upstream is a stage; each built-in stage is one.
fn own_stages() {
    title("Your own stages");

    let items = pipeline! {
        range(3)
        |> o @ order::save(8)
        |> double()
        |> thread::queue(workers = 2)
        |> double()
        |> order::load(o)
        |> collect::<Vec<_>>()
    };
    show("doubled on two threads, and once more", items, vec![0, 4, 8]);

    let pipe = tinypl::filter(map(tinypl::range(0, 100), |x| 3 * x + 1), |x| x % 2 == 0);
    let pipe = Pipeline::new(tinypl::thread::queue(pipe).workers(4).maxsize(8));
    show("without the macro", pipe.count(), 50);
}

/// Prints a result, and makes sure of it.
#[track_caller]
fn show<T: PartialEq + std::fmt::Debug>(what: &str, result: T, expected: T) {
    assert_eq!(result, expected, "{what}");
    println!("  {what}: {result:?}");
}

fn title(text: &str) {
    println!("\n{text}");
}
