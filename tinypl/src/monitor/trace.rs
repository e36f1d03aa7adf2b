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

/// A pull, or a wait, that took less is not shown.
const BRIEF: u64 = 2_000;
/// Chunks that took less are drawn as one, together with those that follow at once,
const CHEAP: u64 = 30_000;
/// up to such a length.
const LONG: u64 = 100_000;
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
    /// With what each of its slices begins, up to its moment.
    head: String,
    /// What it works at: JSON without its quotes, as all names.
    work: String,
    drawn: Mutex<Drawn>,
}

/// What is not written yet.
#[derive(Debug, Default)]
struct Drawn {
    /// Events as they stand in the file, without commas at its ends.
    heap: Vec<u8>,
    /// Cheap chunks, one after the other.
    open: Option<Chunks>,
}

#[derive(Clone, Copy, Debug)]
struct Chunks {
    items: usize,
    began: u64,
    ended: u64,
}

impl Chunks {
    /// With another one, if both are to be one slice.
    fn with(self, next: Self) -> Option<Self> {
        let both = Self { items: self.items + next.items, began: self.began, ended: next.ended };
        let cheap = next.ended - next.began < CHEAP && self.ended - self.began < LONG;
        (cheap && next.began - self.ended < BRIEF).then_some(both)
    }
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
    /// the file can be read; it is complete when the pipeline has ended. It needs the feature `trace`.
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
    /// When the pipeline has a timeline already; when the file can't be made, or written to. (Later it is only logged: figures are not worth a failure.)
    pub fn trace(&self, path: impl AsRef<Path>) -> io::Result<()> {
        if self.lane().track().is_some() {
            let what = "this pipeline has a timeline already: there is one for each";
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, what));
        }
        let mut file = File::create(path)?;
        file.write_all(HEAD)?;
        file.write_all(TAIL)?;
        let survey = self.survey();
        let mut names: HashMap<u64, String> = HashMap::new();
        for stage in &survey.stages {
            names.extend(stage.probes.iter().map(|probe| (probe.id(), escaped(&called(stage)))));
        }
        names.insert(self.own().id(), "own code".to_owned());
        let writing = Writing { file, empty: true, failed: false };
        let timeline = Arc::new(Timeline { file: Mutex::new(writing), names });
        for (i, line) in lines(self, survey).into_iter().enumerate() {
            timeline.add(i, line)?;
        }
        Ok(())
    }
}

/// A thread that may have a line.
struct Line<'a> {
    lane: &'a Lane,
    name: String,
    work: String,
}

fn lines<'a>(monitor: &'a Monitor, survey: &'a Survey) -> Vec<Line<'a>> {
    let mut lines = vec![Line { lane: monitor.lane(), name: "who pulls".to_owned(), work: "pulls".to_owned() }];
    for stage in &survey.stages {
        let Some(crew) = &stage.crew else { continue };
        for (k, lane) in crew.flow.lanes.iter().enumerate() {
            let called = called(stage);
            let (name, work) = match k.checked_sub(crew.flow.options.workers) {
                None => (format!("{called} {}", k + 1), called),
                Some(0) => (format!("{called} feeder"), "encodes".to_owned()),
                Some(_) => (format!("{called} helper"), "encodes".to_owned()),
            };
            lines.push(Line { lane, name, work });
        }
    }
    lines
}

/// As it stands between quotes.
fn escaped(name: &str) -> String {
    let quoted = serde_json::to_string(name).unwrap_or_default();
    quoted.trim_matches('"').to_owned()
}

/// The stage's name, and its function's.
fn called(stage: &Surveyed) -> String {
    let name = stage.node.name;
    stage.node.function.as_ref().map_or_else(|| name.to_owned(), |function| format!("{name} {function}"))
}

impl Timeline {
    fn add(self: &Arc<Self>, i: usize, Line { lane, name, work }: Line<'_>) -> io::Result<()> {
        let process = std::process::id();
        let args = NameArgs { name: &name };
        let named = serde_json::to_vec(&Name { ph: "M", name: "thread_name", pid: process, tid: i, args })?;
        self.file.lock().append(&named)?;
        let (timeline, work) = (self.clone(), escaped(&work));
        let head = format!(r#"{{"ph":"X","pid":{process},"tid":{i},"ts":"#);
        lane.draw(Track { timeline, head, work, drawn: Mutex::default() });
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
        match what {
            _ if now.saturating_sub(since) < BRIEF => {}
            Doing::Input => self.slice(&mut self.drawn.lock(), "waits for input", since, now, None),
            Doing::Room => self.slice(&mut self.drawn.lock(), "waits for room", since, now, None),
            Doing::Work | Doing::Nothing => {}
        }
    }

    /// A part of what the thread does, and the calls in it that were measured.
    pub(crate) fn did(&self, part: Part, items: usize, began: u64, now: u64, calls: &[Sampled]) {
        match part {
            Part::Pull if now - began < BRIEF => return,
            Part::Pull => self.slice(&mut self.drawn.lock(), "pull", began, now, Some(items)),
            Part::Work => {
                let (mut drawn, next) = (self.drawn.lock(), Chunks { items, began, ended: now });
                let both = drawn.open.and_then(|open| open.with(next));
                if both.is_none() {
                    self.close(&mut drawn);
                }
                drawn.open = Some(both.unwrap_or(next));
            }
        }
        // a single call of what it works at says nothing new
        if calls.len() != 1 || self.name_of(&calls[0]) != self.work {
            self.called(calls);
        }
    }

    /// Calls that were measured.
    pub(crate) fn called(&self, calls: &[Sampled]) {
        let mut drawn = self.drawn.lock();
        for call in calls {
            self.slice(&mut drawn, self.name_of(call), call.began, call.ended, None);
        }
    }

    /// No chunk follows on those at hand.
    fn close(&self, drawn: &mut Drawn) {
        if let Some(Chunks { items, began, ended }) = drawn.open.take() {
            self.slice(drawn, &self.work, began, ended, Some(items));
        }
    }

    fn name_of(&self, call: &Sampled) -> &str {
        self.timeline.names.get(&call.probe.id()).map_or("", String::as_str)
    }

    /// By hand, for a serialiser takes longer than some items: `name` is JSON without its quotes.
    fn slice(&self, Drawn { heap, .. }: &mut Drawn, name: &str, began: u64, ended: u64, items: Option<usize>) {
        if !heap.is_empty() {
            heap.extend_from_slice(b",\n");
        }
        heap.extend_from_slice(self.head.as_bytes());
        push_moment(heap, began);
        heap.extend_from_slice(br#","dur":"#);
        push_moment(heap, ended.saturating_sub(began));
        heap.extend_from_slice(br#","name":""#);
        heap.extend_from_slice(name.as_bytes());
        if let Some(items) = items {
            heap.extend_from_slice(br#"","args":{"items":"#);
            push_number(heap, items as u64);
            heap.extend_from_slice(b"}}");
        } else {
            heap.extend_from_slice(br#""}"#);
        }
        if heap.len() >= HEAP {
            self.write(heap);
        }
    }

    /// Writes what was gathered.
    pub(crate) fn flush(&self) {
        let mut drawn = self.drawn.lock();
        self.close(&mut drawn);
        self.write(&mut drawn.heap);
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

fn push_number(out: &mut Vec<u8>, n: u64) {
    // into memory: it can't fail
    let _ = write!(out, "{n}");
}

/// Nanoseconds in microseconds, as the format wants them.
fn push_moment(out: &mut Vec<u8>, nanoseconds: u64) {
    push_number(out, nanoseconds / 1000);
    // three digits, the leading zeros among them
    let digits = [100, 10, 1].map(|unit| b'0' + (nanoseconds / unit % 10) as u8);
    out.push(b'.');
    out.extend_from_slice(&digits);
}

impl Drop for Track {
    fn drop(&mut self) {
        self.flush();
    }
}
