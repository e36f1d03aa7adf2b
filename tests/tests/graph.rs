//! The picture of a pipeline: what it says of stages, options, tracks, orders and markers, by macro and by hand.
use std::time::Duration;
use tinypl::{
    Envelope, Given, Graph, Kind, Locked, Pipe, Pipeline, Serial, Upstream, order, pipeline, range, stage, thread,
};
use tinypl_tests::watchdog;

fn double(x: i32) -> i32 {
    2 * x
}

fn is_even(x: &i32) -> bool {
    x % 2 == 0
}

/// Name, function and handle of each stage, as they were written.
fn stages(graph: &Graph) -> Vec<String> {
    let node = |node: &tinypl::Node| {
        let handle = node.handle().map_or(String::new(), |handle| format!("{handle} @ "));
        let function = node.function().map_or(String::new(), |function| format!("({function})"));
        format!("{handle}{}{function}", node.name())
    };
    graph.nodes().iter().map(node).collect()
}

fn options(graph: &Graph, name: &str) -> Vec<String> {
    let node = graph.nodes().iter().find(|node| node.name() == name).expect("there is such a stage");
    node.options().iter().map(|(name, value)| format!("{name} = {value}")).collect()
}

/// From where to where, and what passes there.
fn edges(graph: &Graph) -> Vec<(usize, usize, String)> {
    let edge = |edge: &tinypl::Edge| (edge.from(), edge.to(), [edge.orders(), edge.markers()].concat().join(" "));
    graph.edges().iter().map(edge).collect()
}

#[test]
fn a_chain_with_everything() {
    let _watchdog = watchdog(60);
    pipeline! {
        let pipe = range(100)
            |> m @ marker::insert_periodic(10, after = false)
            |> o @ order::save(16)
            |> filter(is_even)
            |> i @ order::save(8)
            |> q @ thread::map(double, workers = 2, maxsize = 4)
            |> order::load(i)
            |> process::map(double, workers = 1, on_death = skip, item_timeout = Duration::from_secs(60))
            |> order::load(o)
            |> marker::on(|| {}, m, consume = true)
            |> r @ ratelimit(1000, Duration::from_millis(1))
            |> partition(3, markers = before)
            |> flatten()
            |> each(|_| {})
            |> take(7)
            |> debug::print_on_item("x");
    }
    let graph = pipe.graph();
    assert_eq!(
        stages(&graph),
        [
            "range",
            "m @ marker::insert_periodic",
            "o @ order::save",
            "filter(is_even)",
            "i @ order::save",
            "q @ thread::map(double)",
            "order::load",
            "process::map(double)",
            "order::load",
            "marker::on",
            "r @ ratelimit",
            "partition",
            "flatten",
            "each",
            "take",
            "debug::print_on_item",
        ]
    );
    assert_eq!(options(&graph, "range"), ["len = 100"]);
    assert_eq!(options(&graph, "marker::insert_periodic"), ["n = 10", "after = false"]);
    assert_eq!(options(&graph, "order::save"), ["maxsize = 16"]);
    assert_eq!(options(&graph, "thread::map"), ["workers = 2", "maxsize = 4"]);
    let of_processes = ["workers = 1", "maxsize = 64", "item_timeout = 60s", "on_death = skip"];
    assert_eq!(options(&graph, "process::map"), of_processes);
    assert_eq!(options(&graph, "order::load"), ["o = i"]);
    assert_eq!(options(&graph, "marker::on"), ["m = m", "consume = true"]);
    assert_eq!(options(&graph, "ratelimit"), ["num = 1000", "period = 1ms"]);
    assert_eq!(options(&graph, "partition"), ["n = 3", "markers = before"]);
    assert_eq!(options(&graph, "take"), ["n = 7"]);
    let passing: Vec<String> = edges(&graph).into_iter().map(|(.., passing)| passing).collect();
    let expected = ["", "m", "o m", "o m", "o i m", "o i m", "o m", "o m", "m", "", "", "", "", "", ""];
    assert_eq!(passing, expected);
    let kinds: Vec<Kind> = graph.nodes().iter().map(tinypl::Node::kind).collect();
    assert_eq!(kinds[..4], [Kind::Source, Kind::Marker, Kind::Order, Kind::Stage]);
    assert_eq!((kinds[5], kinds[7]), (Kind::WorkerThreads, Kind::WorkerProcesses));
    let first = graph.nodes()[0].location();
    assert!(
        graph.nodes().iter().enumerate().all(|(i, node)| {
            node.location().file() == file!() && node.location().line() == first.line() + i as u32
        })
    );
    drop(q);
    drop(r);
}

#[test]
fn by_hand_it_is_the_same_picture() {
    let _watchdog = watchdog(60);
    let mut save = order::save(range(0, 9), 4);
    let o = save.handle();
    let by_hand = Pipeline::new(order::load(thread::map(save, double).workers(2).maxsize(8), &o));
    let by_macro =
        pipeline! { range(9) |> o @ order::save(4) |> thread::map(double, workers = 2, maxsize = 8) |> order::load(o) };
    let (by_hand, by_macro) = (by_hand.graph(), by_macro.graph());
    // an order that was made by hand has no name
    let unnamed = |stages: Vec<String>| stages.join(" ").replace("o @ ", "");
    assert_eq!(unnamed(stages(&by_hand)), unnamed(stages(&by_macro)));
    assert_eq!(options(&by_hand, "thread::map"), options(&by_macro, "thread::map"));
    assert_eq!(edges(&by_hand)[1], (1, 2, "order".to_owned()));
    assert_eq!(edges(&by_macro)[1], (1, 2, "o".to_owned()));
}

/// Without orders, which have no names by hand, they differ in nothing but lines. (`process::map` gets a pointer: what it is
/// called has to be said.)
#[test]
fn by_hand_all_of_the_picture_is_the_same() {
    let _watchdog = watchdog(60);
    let marked = tinypl::marker::insert_periodic(range(0, 9)).n(3);
    let mapped = tinypl::process::map(tinypl::filter(marked, is_even), double).workers(2).maxsize(8).function("double");
    let by_hand = Pipeline::new(tinypl::partition(tinypl::take(mapped, 5), 2).markers(tinypl::marker::After));
    let by_macro = pipeline! {
        range(9) |> _m @ marker::insert_periodic(3) |> filter(is_even) |> process::map(double, workers = 2, maxsize = 8)
            |> take(5) |> partition(2, markers = after)
    };
    let told = |graph: &Graph| -> Vec<_> {
        let of = |node: &tinypl::Node| {
            (node.kind(), node.name(), node.function().map(str::to_owned), node.options().to_vec())
        };
        graph.nodes().iter().map(of).collect()
    };
    let ways = |graph: &Graph| -> Vec<_> {
        graph.edges().iter().map(|edge| (edge.from(), edge.to(), edge.markers().len(), edge.orders().len())).collect()
    };
    let (by_hand, by_macro) = (by_hand.graph(), by_macro.graph());
    assert_eq!(told(&by_hand), told(&by_macro));
    assert_eq!(ways(&by_hand), ways(&by_macro));
    assert_eq!(by_hand.nodes().len(), 6);
}

#[test]
fn tracks_are_one_picture() {
    let _watchdog = watchdog(60);
    pipeline! {
        let numbers = range(9) |> thread::queue(workers = 1);
        let even = numbers |> filter(is_even);
        let doubled = numbers |> map(double);
        let pairs = even |> zip(doubled);
    }
    let all = ["range", "thread::queue", "numbers @ share"];
    assert_eq!(stages(&numbers.graph()), all);
    let graph = pairs.graph();
    let more = ["filter(is_even)", "even @ share", "map(double)", "doubled @ share", "zip"];
    assert_eq!(stages(&graph), [&all[..], &more].concat());
    let ways: Vec<(usize, usize)> = graph.edges().iter().map(|edge| (edge.from(), edge.to())).collect();
    assert_eq!(ways, [(0, 1), (1, 2), (2, 3), (3, 4), (4, 7), (2, 5), (5, 6), (6, 7)]);
    // and when each is drawn alone
    assert_eq!(even.graph().merge(doubled.graph()).nodes().len(), 7);
    assert_eq!(graph.clone().merge(numbers.graph()).merge(even.graph()), graph);
}

#[test]
fn a_side_stream_is_found_behind_other_iterators() {
    let words = pipeline! { ["a", "b"] |> map(str::len) };
    let pipe = pipeline! { range(9) |> chain([7]) |> zip(words.map(|n| n + 1)) };
    assert_eq!(stages(&pipe.graph()), ["range", "chain", "source", "map(len)", "zip"]);
    assert_eq!(pipe.count(), 2);
}

/// Leaves out an item that equals the one before it.
struct Dedup<P: Pipe> {
    up: P,
    last: Option<P::Item>,
}

fn dedup<P: Pipe<Item: PartialEq + Clone>>(up: P) -> Locked<Dedup<P>> {
    stage(Dedup { up, last: None })
}

impl<P: Pipe<Item: PartialEq + Clone>> Serial for Dedup<P> {
    type Item = P::Item;
    type Marker = P::Marker;
    type Tags = P::Tags;

    fn pull(&mut self) -> Option<Given<Self>> {
        loop {
            match self.up.pull()? {
                Envelope::Item(x, ride) if self.last.as_ref() == Some(&x) => {
                    if let Some(gap) = Envelope::gap(ride) {
                        return Some(gap);
                    }
                }
                Envelope::Item(x, ride) => {
                    self.last = Some(x.clone());
                    return Some(Envelope::Item(x, ride));
                }
                other => return Some(other),
            }
        }
    }

    fn upstream(&mut self) -> Option<&mut dyn Upstream> {
        Some(&mut self.up)
    }
}

#[test]
fn own_stages_have_their_types_names() {
    let mut pipe = pipeline! { [1, 1, 2] |> map(double) |> dedup() |> map(double) };
    assert_eq!(stages(&pipe.graph()), ["source", "map(double)", "Dedup", "map(double)"]);
    let monitor = pipe.monitor();
    assert_eq!(pipe.by_ref().collect::<Vec<_>>(), [4, 8]);
    let report = monitor.report();
    let given: Vec<u64> = report.stages.iter().map(|stage| stage.items_out).collect();
    assert_eq!(given, [3, 3, 2, 2]);
}

#[test]
fn it_stays_the_same_while_items_pass() {
    let _watchdog = watchdog(60);
    let mut pipe = pipeline! { range(9) |> skip(2) |> thread::map(double, workers = 2) |> take(5) };
    let graph = pipe.graph();
    assert!(pipe.next().is_some());
    assert_eq!(stages(&pipe.graph()), stages(&graph));
    assert_eq!(options(&pipe.graph(), "take"), ["n = 5"]);
    let below = pipeline! { &mut pipe |> map(double) };
    assert_eq!(stages(&below.graph()), [&stages(&graph)[..], &["map(double)".to_owned()]].concat());
    drop(below);
    pipe.stop();
    assert_eq!(pipe.graph(), Graph::default());
}

#[test]
fn it_is_there_while_a_worker_waits_for_the_source() {
    let _watchdog = watchdog(60);
    let (send, receive) = std::sync::mpsc::channel::<i32>();
    let mut pipe = pipeline! { receive |> filter(is_even) |> thread::map(double, workers = 2) };
    send.send(2).unwrap();
    assert_eq!(pipe.next(), Some(4));
    // the worker sleeps in the source now, behind its lock
    assert_eq!(stages(&pipe.graph()), ["source", "filter(is_even)", "thread::map(double)"]);
    assert_eq!(pipe.report().stages[0].items_out, 1);
    drop(send);
    assert_eq!(pipe.count(), 0);
}

#[test]
fn a_data_loader_shows_what_it_is_composed_of() {
    let _watchdog = watchdog(60);
    pipeline! {
        let mut batches = e @ dataloader::load(vec![1, 2, 3, 4], batchsize = 2, sampler = sampler::sequential().epochs(1),
                                               map = thread(workers = 2));
    }
    let graph = batches.graph();
    let names: Vec<&str> = graph.nodes().iter().map(tinypl::Node::name).collect();
    let expected = ["marker::insert_periodic", "flatten", "partition", "order::save", "order::load"];
    assert!(expected.iter().all(|name| names.contains(name)), "{names:?}");
    assert_eq!(graph.edges().last().unwrap().markers(), ["e"]);
    let one: Vec<Vec<i32>> = pipeline! { &mut batches |> marker::until(e) |> collect() };
    assert_eq!(one, [[1, 2], [3, 4]]);
}

/// The other stream of a `zip` is above it, too.
#[test]
fn upstream_comes_before_downstream() {
    let side = pipeline! { range(9) |> map(|x| x + 1) };
    let graph = pipeline! { range(5) |> zip(side) |> map(|(a, b)| a + b) }.graph();
    assert!(graph.edges().iter().all(|edge| edge.from() < edge.to()), "{graph:?}");
    assert!(graph.to_svg().starts_with("<svg "));
}
