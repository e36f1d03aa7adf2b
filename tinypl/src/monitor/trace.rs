//! A timeline that Perfetto and chrome://tracing open: one lane a worker, one slice an item or chunk, within it those of the
//! calls that were measured. (The format: "Trace Event Format", JSON object form.)
use super::lane::{Doing, Lane, Part};
use super::sampling::Sampled;
use super::survey::Surveyed;
use super::{Monitor, Survey};
use crate::sync::{Arc, Mutex};
use serde::Serialize;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;

/// What a lane gathers before it is written.
const HEAP: usize = 64 << 10;
const HEAD: &[u8] = b"{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n";
/// It stands at the end of the file always: whatever becomes of the process, what is there can be read.
const TAIL: &[u8] = b"\n]}\n";

/// The file.
#[derive(Debug)]
pub(crate) struct Timeline {
    file: Mutex<Writing>,
    /// What the stages are called, by their probes.
    names: HashMap<u64, String>,
}

#[derive(Debug)]
struct Writing {
    file: File,
    empty: bool,
    failed: bool,
}

/// One thread's line in it.
#[derive(Debug)]
pub(crate) struct Track {
    timeline: Arc<Timeline>,
    lane: usize,
    /// Events as they stand in the file, without commas at its ends.
    heap: Mutex<Vec<u8>>,
}

/// Times are microseconds.
#[derive(Serialize)]
struct Slice<'a> {
    ph: &'static str,
    name: &'a str,
    pid: u32,
    tid: usize,
    ts: f64,
    dur: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    args: Option<Args>,
}

#[derive(Serialize)]
struct Args {
    items: usize,
}

/// What a lane is called.
#[derive(Serialize)]
struct Name<'a> {
    ph: &'static str,
    name: &'static str,
    pid: u32,
    tid: usize,
    args: NameArgs<'a>,
}

#[derive(Serialize)]
struct NameArgs<'a> {
    name: &'a str,
}

impl Monitor {
    /// Writes a timeline of what follows into a file: one lane a worker, one slice an item, or a chunk of cheap ones, beside
    /// slices for waits. [Perfetto](https://ui.perfetto.dev) and chrome://tracing open it. Whatever becomes of the process,
    /// the file can be read; it is complete when the pipeline has ended.
    ///
    /// ```
    /// use tinypl::pipeline;
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("trace.json");
    /// let mut pipe = pipeline! { range(100) |> thread::map(|x| x + 1, workers = 2) };
    /// pipe.monitor().trace(&path)?;
    /// assert_eq!(pipe.count(), 100);
    /// assert!(std::fs::read_to_string(&path)?.contains("thread::map 1"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the file can't be made, or written to. (Later it is only logged: figures are not worth a failure.)
    pub fn trace(&self, path: impl AsRef<Path>) -> io::Result<()> {
        let mut file = File::create(path)?;
        file.write_all(HEAD)?;
        file.write_all(TAIL)?;
        let survey = self.survey();
        let mut names: HashMap<u64, String> = HashMap::new();
        for stage in &survey.stages {
            names.extend(stage.probes.iter().map(|probe| (probe.id(), called(stage))));
        }
        names.insert(self.own().id(), "own code".to_owned());
        let writing = Writing { file, empty: true, failed: false };
        let timeline = Arc::new(Timeline { file: Mutex::new(writing), names });
        for (i, (lane, name)) in lanes(self, survey).into_iter().enumerate() {
            timeline.add(i, lane, &name)?;
        }
        Ok(())
    }
}

/// All that may have a line, and what they are called.
fn lanes<'a>(monitor: &'a Monitor, survey: &'a Survey) -> Vec<(&'a Lane, String)> {
    let mut lanes = vec![(monitor.lane(), "who pulls".to_owned())];
    for stage in &survey.stages {
        let Some(crew) = &stage.crew else { continue };
        for (k, lane) in crew.flow.lanes.iter().enumerate() {
            let name = called(stage);
            let feeds = k >= crew.flow.options.workers;
            lanes.push((&**lane, if feeds { format!("{name} feeder") } else { format!("{name} {}", k + 1) }));
        }
    }
    lanes
}

/// The stage's name, and its function's.
fn called(stage: &Surveyed) -> String {
    let name = stage.node.name;
    stage.node.function.as_ref().map_or_else(|| name.to_owned(), |function| format!("{name} {function}"))
}

impl Timeline {
    fn add(self: &Arc<Self>, i: usize, lane: &Lane, name: &str) -> io::Result<()> {
        let track = Track { timeline: self.clone(), lane: i, heap: Mutex::new(Vec::new()) };
        let args = NameArgs { name };
        track.push(&Name { ph: "M", name: "thread_name", pid: std::process::id(), tid: i, args });
        self.file.lock().append(&std::mem::take(&mut *track.heap.lock()))?;
        lane.draw(track);
        Ok(())
    }
}

impl Writing {
    fn append(&mut self, events: &[u8]) -> io::Result<()> {
        if events.is_empty() {
            return Ok(());
        }
        self.file.seek(SeekFrom::End(-(TAIL.len() as i64)))?;
        let comma: &[u8] = if self.empty { b"" } else { b",\n" };
        // in one write, so that no other moment than before and after it shows
        self.file.write_all(&[comma, events, TAIL].concat())?;
        self.empty = false;
        Ok(())
    }
}

impl Track {
    pub(crate) fn waited(&self, what: Doing, since: u64, now: u64) {
        let name = match what {
            Doing::Input => "waits for input",
            Doing::Room => "waits for room",
            Doing::Work | Doing::Nothing => return,
        };
        self.slice(name, since, now, None);
    }

    pub(crate) fn did(&self, part: Part, items: usize, began: u64, now: u64) {
        match part {
            Part::Pull => self.slice("pull", began, now, Some(Args { items })),
            Part::Work if items == 1 => self.slice("item", began, now, Some(Args { items })),
            Part::Work => self.slice("chunk", began, now, Some(Args { items })),
        }
    }

    /// The calls that were measured.
    pub(crate) fn called(&self, calls: &[Sampled]) {
        for call in calls {
            let name = self.timeline.names.get(&call.probe.id()).map_or("", String::as_str);
            self.slice(name, call.began, call.ended, None);
        }
    }

    fn slice(&self, name: &str, began: u64, ended: u64, args: Option<Args>) {
        let (ts, dur) = (began as f64 / 1e3, ended.saturating_sub(began) as f64 / 1e3);
        self.push(&Slice { ph: "X", name, pid: std::process::id(), tid: self.lane, ts, dur, args });
    }

    fn push(&self, event: &impl Serialize) {
        let mut heap = self.heap.lock();
        if !heap.is_empty() {
            heap.extend_from_slice(b",\n");
        }
        // numbers and text: it can't fail
        let _ = serde_json::to_writer(&mut *heap, event);
        if heap.len() >= HEAP {
            self.write(&mut heap);
        }
    }

    /// Writes what was gathered.
    pub(crate) fn flush(&self) {
        self.write(&mut self.heap.lock());
    }

    fn write(&self, heap: &mut Vec<u8>) {
        let mut file = self.timeline.file.lock();
        if !file.failed
            && let Err(error) = file.append(heap)
        {
            log::error!("the timeline can't be written any more: {error}");
            file.failed = true;
        }
        heap.clear();
    }
}

impl Drop for Track {
    fn drop(&mut self) {
        self.flush();
    }
}
