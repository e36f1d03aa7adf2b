//! Timelines: they are JSON, each worker has its lane, and slices nest.
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::read_to_string;
use std::path::Path;
use std::time::Duration;
use tinypl::pipeline;
use tinypl_tests::{Scratch, watchdog};

/// A slice: its name, and from when to when it lasts, in nanoseconds.
#[derive(Debug)]
struct Slice {
    name: String,
    began: u64,
    ended: u64,
    items: Option<u64>,
}

/// The slices of each lane, by its name.
fn lanes(path: &Path) -> BTreeMap<String, Vec<Slice>> {
    let all: Value = serde_json::from_str(&read_to_string(path).unwrap()).expect("it is JSON");
    let events = all["traceEvents"].as_array().expect("a list of events");
    let nanoseconds = |value: &Value| (value.as_f64().unwrap() * 1e3).round() as u64;
    let (mut names, mut slices) = (BTreeMap::new(), BTreeMap::<u64, Vec<Slice>>::new());
    for event in events {
        let lane = event["tid"].as_u64().unwrap();
        match event["ph"].as_str().unwrap() {
            "M" => {
                let name = event["args"]["name"].as_str().unwrap().to_owned();
                assert!(names.insert(lane, name).is_none(), "two names for a lane");
            }
            "X" => {
                let (began, took) = (nanoseconds(&event["ts"]), nanoseconds(&event["dur"]));
                let (name, items) = (event["name"].as_str().unwrap().to_owned(), event["args"]["items"].as_u64());
                slices.entry(lane).or_default().push(Slice { name, began, ended: began + took, items });
            }
            other => panic!("no event of kind {other}"),
        }
    }
    names.into_iter().map(|(lane, name)| (name, slices.remove(&lane).unwrap_or_default())).collect()
}

/// Of two slices of a lane one lies in the other, or they don't touch.
fn assert_nested(lane: &str, slices: &mut [Slice]) {
    slices.sort_by_key(|slice| (slice.began, std::cmp::Reverse(slice.ended)));
    let mut open: Vec<&Slice> = Vec::new();
    for slice in slices.iter() {
        while open.last().is_some_and(|outer| outer.ended <= slice.began) {
            open.pop();
        }
        if let Some(outer) = open.last() {
            assert!(slice.ended <= outer.ended, "{lane}: {slice:?} does not lie in {outer:?}");
        }
        open.push(slice);
    }
}

fn decode(x: u32) -> u32 {
    std::thread::sleep(Duration::from_millis(2));
    x
}

#[test]
fn each_worker_has_a_lane_and_slices_nest() {
    let _watchdog = watchdog(60);
    let scratch = Scratch::new();
    let path = scratch.dir().join("trace.json");
    let mut pipe = pipeline! {
        range(60_u32) |> filter(|x| x % 2 == 0) |> partition(2) |> flatten() |> thread::map(decode, workers = 3)
            |> thread::queue(workers = 1, maxsize = 2) |> map(|x| x + 1)
    };
    pipe.monitor().trace(&path).unwrap();
    assert_eq!(pipe.by_ref().count(), 30);
    drop(pipe);
    let mut lanes = lanes(&path);
    let names: Vec<&str> = lanes.keys().map(String::as_str).collect();
    let workers = ["thread::map decode 1", "thread::map decode 2", "thread::map decode 3"];
    assert_eq!(names, [&["thread::map decode 1"][..], &workers[1..], &["thread::queue 1", "who pulls"]].concat());
    for (name, slices) in &mut lanes {
        assert_nested(name, slices);
    }
    let of = |lane: &str, name: &str| lanes[lane].iter().filter(|slice| slice.name == name).count();
    // an item that takes long is a slice of its own
    let items: Vec<u64> = workers.iter().flat_map(|lane| &lanes[*lane]).filter_map(|slice| slice.items).collect();
    let calls: usize = workers.iter().map(|lane| of(lane, "thread::map decode")).sum();
    assert!(calls > 20 && items.iter().sum::<u64>() <= 60, "{calls} calls, {items:?}");
    assert!(of("who pulls", "waits for input") > 0 && of("who pulls", "map") > 0);
}

#[test]
fn cheap_items_are_chunks() {
    let _watchdog = watchdog(60);
    let scratch = Scratch::new();
    let path = scratch.dir().join("trace.json");
    let mut pipe = pipeline! { range(10_000_u32) |> thread::map(|x| x + 1, workers = 2) };
    pipe.monitor().trace(&path).unwrap();
    assert_eq!(pipe.by_ref().count(), 10_000);
    drop(pipe);
    let mut lanes = lanes(&path);
    for (name, slices) in &mut lanes {
        assert_nested(name, slices);
    }
    let chunks = lanes.values().flatten().filter(|slice| slice.items > Some(1)).count();
    assert!(chunks > 0, "no chunk");
}

#[test]
fn worker_processes_have_lanes() {
    let _watchdog = watchdog(60);
    let scratch = Scratch::new();
    let path = scratch.dir().join("trace.json");
    let mut pipe = pipeline! { range(30_u32) |> process::map(decode, workers = 2) };
    pipe.monitor().trace(&path).unwrap();
    assert_eq!(pipe.by_ref().count(), 30);
    drop(pipe);
    let mut lanes = lanes(&path);
    let names: Vec<&str> = lanes.keys().map(String::as_str).collect();
    let decode = ["1", "2", "feeder", "helper"].map(|thread| format!("process::map decode {thread}"));
    assert_eq!(names, [&decode[..], &["who pulls".to_owned()]].concat());
    for (name, slices) in &mut lanes {
        assert_nested(name, slices);
    }
    let items: u64 = names_of_workers().iter().flat_map(|lane| &lanes[*lane]).filter_map(|slice| slice.items).sum();
    assert!((20..=30).contains(&items), "{items} items");
}

fn names_of_workers() -> [&'static str; 2] {
    ["process::map decode 1", "process::map decode 2"]
}

/// Whenever somebody looks, it is whole.
#[test]
fn the_file_is_whole_while_it_is_written() {
    let _watchdog = watchdog(60);
    let scratch = Scratch::new();
    let path = scratch.dir().join("trace.json");
    let mut pipe = pipeline! { 0..u64::MAX |> thread::map(|x| x + 1, workers = 2) };
    pipe.monitor().trace(&path).unwrap();
    let mut last = 0;
    for _ in 0..2 {
        // until it has grown
        loop {
            assert_eq!(pipe.by_ref().take(1000).count(), 1000);
            let length = path.metadata().unwrap().len();
            if length > last {
                last = length;
                break;
            }
        }
    }
    pipe.stop();
    assert!(lanes(&path).len() == 3);
}

#[test]
fn a_path_that_can_not_be_written_is_an_error() {
    let mut pipe = pipeline! { range(3) };
    assert!(pipe.monitor().trace("/no/such/folder/trace.json").is_err());
    assert_eq!(pipe.count(), 3);
}

#[test]
fn a_second_timeline_is_an_error() {
    let scratch = Scratch::new();
    let mut pipe = pipeline! { range(3) };
    pipe.monitor().trace(scratch.dir().join("first.json")).unwrap();
    let second = scratch.dir().join("second.json");
    assert!(pipe.monitor().trace(&second).unwrap_err().to_string().contains("a timeline already"));
    assert!(!second.exists());
    assert_eq!(pipe.count(), 3);
}
