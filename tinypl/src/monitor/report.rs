//! The live figures: a snapshot, and what it says of the bottleneck.
use super::Monitor;
use super::lane::{Accounts, Doing};
use super::survey::{Crew, Surveyed};
use super::table::Table;
use crate::pool::Flow;
use std::fmt;
use std::time::Duration;

/// The figures of a pipeline at one moment, of [`Pipeline::report`](crate::Pipeline::report) or
/// [`Monitor::report`](crate::Monitor::report).
///
/// It prints (`Display`) as an aligned table with the bottleneck in one sentence below, and serialises with the feature
/// `serde`. Times are sums over a stage's workers, measured since the pipeline's monitor was asked for.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Report {
    /// How long figures were gathered: until now, or until the pipeline ended.
    pub elapsed: Duration,
    /// The stages, upstream before downstream.
    pub stages: Vec<StageReport>,
    /// Whoever pulls the pipeline: busy with its own affairs, between two pulls.
    pub consumer: Times,
    /// What sets the pace, in one sentence; `None` while there is nothing to tell.
    pub bottleneck: Option<String>,
}

/// The figures of one stage.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct StageReport {
    /// Its name in the language, as `thread::map`.
    pub name: String,
    /// The name of its function, if it has one.
    pub function: Option<String>,
    /// What stands before its `@`.
    pub handle: Option<String>,
    /// Where it stands in the source.
    pub file: String,
    /// The line there, from 1.
    pub line: u32,
    /// Items that came from above.
    pub items_in: u64,
    /// Items that it gave.
    pub items_out: u64,
    /// Items that it gave, a second, since the monitor was asked for.
    pub per_second: f64,
    /// How many threads, or worker processes, may run it at once.
    pub threads: usize,
    /// Its workers' time in the three accounts; of a stage without workers of its own, `busy` alone.
    pub times: Times,
    /// Of a queue: how many results lie in it, and how many may.
    pub fill: Option<Fill>,
    /// How many workers live, and how many there are to be.
    pub workers: Option<Fill>,
    /// Worker processes that took the place of one that died.
    pub restarts: u64,
    /// Errors: the one that ended the pipeline here, or items that worker processes died of.
    pub errors: u64,
    /// Whether the pipeline ended here with an error.
    pub failed: bool,
}

/// What threads do with their time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Times {
    /// In the stage's function, and what it takes to get items to it and away.
    pub busy: Duration,
    /// Waiting for the stages above. A worker that has not begun, or has ended, does that.
    pub waiting_for_input: Duration,
    /// Waiting for room below.
    pub waiting_for_room: Duration,
}

/// So many of so many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Fill {
    /// How many there are.
    pub now: usize,
    /// How many there may be.
    pub of: usize,
}

impl Times {
    /// All three.
    pub fn sum(&self) -> Duration {
        self.busy + self.waiting_for_input + self.waiting_for_room
    }

    /// What was added since.
    fn since(&self, earlier: &Self) -> Self {
        Self {
            busy: self.busy.saturating_sub(earlier.busy),
            waiting_for_input: self.waiting_for_input.saturating_sub(earlier.waiting_for_input),
            waiting_for_room: self.waiting_for_room.saturating_sub(earlier.waiting_for_room),
        }
    }

    /// What a thread's accounts add to it.
    fn wait(&mut self, accounts: &Accounts) {
        self.waiting_for_input += accounts.of(Doing::Input);
        self.waiting_for_room += accounts.of(Doing::Room);
    }
}

impl StageReport {
    /// The function's name, or the stage's; and its place.
    pub(crate) fn title(&self) -> String {
        format!("{} ({})", self.function.as_deref().unwrap_or(&self.name), self.place())
    }

    /// `file:line`, with the last folder.
    pub(crate) fn place(&self) -> String {
        format!("{}:{}", short(&self.file), self.line)
    }

    /// Which part of the time it is busy, if `threads` can be at once.
    fn load(&self, elapsed: Duration, threads: usize) -> f64 {
        part(self.times.busy, elapsed, threads)
    }
}

/// The last two parts of a path.
pub(crate) fn short(path: &str) -> &str {
    let mut slashes = path.rmatch_indices(['/', '\\']).map(|(at, _)| at);
    slashes.nth(1).map_or(path, |at| &path[at + 1..])
}

/// Which part of what so many threads had.
pub(super) fn part(time: Duration, elapsed: Duration, threads: usize) -> f64 {
    let all = elapsed.as_secs_f64() * threads.max(1) as f64;
    if all > 0.0 { time.as_secs_f64() / all } else { 0.0 }
}

fn per_second(items: u64, elapsed: Duration) -> f64 {
    items as f64 / elapsed.as_secs_f64().max(1e-9)
}

impl Report {
    pub(crate) fn of(monitor: &Monitor) -> Self {
        let (survey, until) = (monitor.survey(), monitor.until());
        let mut report = Self::gathered(monitor, until);
        for (i, stage) in report.stages.iter_mut().enumerate() {
            let (given, times) = monitor.before(i);
            stage.per_second = per_second(stage.items_out.saturating_sub(given), report.elapsed);
            stage.times = stage.times.since(&times);
            if let Some(Crew { processes: Some(_), flow }) = &survey.stages[i].crew {
                idle_processes(stage, flow, report.elapsed, until);
            }
        }
        report.bottleneck = bottleneck(&report, &survey.stages, survey.tip);
        report
    }

    /// What each stage has given, and how long it was at it.
    pub(super) fn figures(monitor: &Monitor) -> Vec<(u64, Times)> {
        Self::gathered(monitor, monitor.until()).stages.iter().map(|stage| (stage.items_out, stage.times)).collect()
    }

    /// All that was gathered up to a moment, by whomever.
    fn gathered(monitor: &Monitor, until: u64) -> Self {
        let (survey, elapsed) = (monitor.survey(), monitor.elapsed(until));
        let has_failed = |stage: &Surveyed| monitor.failed_at(stage.site);
        // the one at which it ended; of parts one may pass on what another one failed with
        let ended = survey.stages.iter().rposition(has_failed);
        let first = || survey.stages.iter().position(has_failed);
        let failed = ended.and_then(|i| if survey.stages[i].site.is_part() { first() } else { ended });
        let mut stages: Vec<StageReport> = Vec::with_capacity(survey.stages.len());
        for (i, surveyed) in survey.stages.iter().enumerate() {
            let above = surveyed.up.map_or(0, |up| stages[up].items_out);
            let mut stage = figures(surveyed, above);
            if let Some(crew) = &surveyed.crew {
                crew_figures(&mut stage, crew, until);
            }
            if failed == Some(i) {
                stage.errors = stage.errors.max(1);
                stage.failed = true;
            }
            if ended == Some(i) {
                // the item of the error
                stage.items_out -= u64::from(!surveyed.counts && stage.items_out > 0);
            }
            stages.push(stage);
        }
        let mut consumer = Times { busy: monitor.own().busy(), ..Times::default() };
        consumer.wait(&monitor.lane().accounts(until));
        let mut report = Self { elapsed, stages, consumer, bottleneck: None };
        report.count_threads(&survey.stages, survey.tip);
        report.count_work_at_hand(monitor, until);
        report
    }

    /// Who runs which stage, from below. What stands above one that a single thread at a time pulls, up to a queue, is pulled by
    /// that thread.
    fn count_threads(&mut self, stages: &[Surveyed], tip: Option<usize>) {
        for stage in &mut self.stages {
            stage.threads = 1;
        }
        let mut threads = 1;
        for i in std::iter::successors(tip, |i| stages[*i].up) {
            match &stages[i].crew {
                Some(crew) => {
                    self.stages[i].threads = crew.flow.options.workers;
                    // one thread at a time pulls for processes
                    threads = if crew.processes.is_some() { 1 } else { crew.flow.options.workers };
                }
                None => {
                    threads = if stages[i].alone { 1 } else { threads };
                    self.stages[i].threads = threads;
                }
            }
        }
    }

    /// An item that takes long would else count only when it is done.
    fn count_work_at_hand(&mut self, monitor: &Monitor, until: u64) {
        let survey = monitor.survey();
        for (i, surveyed) in survey.stages.iter().enumerate() {
            let Some(Crew { flow, processes: None }) = &surveyed.crew else { continue };
            let above = run_with(&survey.stages, surveyed.up);
            let (mut pulled, mut worked_at): (Vec<usize>, Vec<usize>) =
                above.into_iter().partition(|member| survey.stages[*member].alone);
            worked_at.push(i);
            if pulled.is_empty() {
                pulled.push(i);
            }
            for lane in &flow.lanes {
                let accounts = lane.accounts(until);
                let members = if accounts.pulls { &pulled } else { &worked_at };
                share_out(accounts.at_hand(), &mut members_of(&mut self.stages, members));
            }
        }
        let members = run_with(&survey.stages, survey.tip);
        let mut times = members_of(&mut self.stages, &members);
        times.push(&mut self.consumer);
        share_out(monitor.lane().accounts(until).at_hand(), &mut times);
    }

    /// Times, rates and the bottleneck of what was since an earlier report.
    #[cfg(feature = "watch")]
    pub(super) fn since(&self, earlier: &Self, monitor: &Monitor) -> Self {
        let elapsed = self.elapsed.saturating_sub(earlier.elapsed);
        let mut report = Self { elapsed, consumer: self.consumer.since(&earlier.consumer), ..self.clone() };
        for (stage, before) in report.stages.iter_mut().zip(&earlier.stages) {
            let items = stage.items_out.saturating_sub(before.items_out);
            stage.per_second = per_second(items, elapsed);
            stage.times = stage.times.since(&before.times);
        }
        let survey = monitor.survey();
        report.bottleneck = bottleneck(&report, &survey.stages, survey.tip);
        report
    }
}

/// This stage and those above that the same threads run: up to the next queue.
fn run_with(stages: &[Surveyed], from: Option<usize>) -> Vec<usize> {
    let here = |i: &usize| stages[*i].crew.is_none();
    std::iter::successors(from.filter(here), |i| stages[*i].up.filter(here)).collect()
}

/// The times of these stages.
fn members_of<'a>(stages: &'a mut [StageReport], members: &[usize]) -> Vec<&'a mut Times> {
    let stages = stages.iter_mut().enumerate();
    stages.filter(|(i, _)| members.contains(i)).map(|(_, stage)| &mut stage.times).collect()
}

/// Work is shared out as that before was; the first that there is, to the last of them.
fn share_out(work: Duration, times: &mut [&mut Times]) {
    let before: Duration = times.iter().map(|times| times.busy).sum();
    if before.is_zero() {
        if let Some(last) = times.last_mut() {
            last.busy += work;
        }
        return;
    }
    for times in times {
        times.busy += work.mul_f64(part(times.busy, before, 1));
    }
}

/// What every stage has.
fn figures(surveyed: &Surveyed, above: u64) -> StageReport {
    let node = &surveyed.node;
    let given = surveyed.probes.last().map_or(0, |probe| probe.items());
    let items_out = if surveyed.counts { given } else { above };
    let items_in = if surveyed.up.is_some() { above } else { items_out };
    StageReport {
        name: node.name.to_owned(),
        function: node.function.clone(),
        handle: node.handle.clone(),
        file: node.location.file().to_owned(),
        line: node.location.line(),
        items_in,
        items_out,
        times: Times { busy: surveyed.probes.iter().map(|probe| probe.busy()).sum(), ..Times::default() },
        ..StageReport::default()
    }
}

/// What a queue has beside.
fn crew_figures(stage: &mut StageReport, crew: &Crew, until: u64) {
    let flow = &crew.flow;
    stage.fill = Some(Fill { now: flow.fill(), of: flow.options.maxsize() });
    let of = flow.options.workers;
    match &crew.processes {
        None => {
            stage.times.busy += flow.probe.busy();
            for lane in &flow.lanes {
                let accounts = lane.accounts(until);
                stage.times.wait(&accounts);
                stage.times.waiting_for_input += accounts.of(Doing::Nothing);
            }
            stage.workers = Some(Fill { now: flow.active(), of });
        }
        Some(processes) => process_figures(stage, processes, of),
    }
}

#[cfg(all(feature = "process", target_os = "linux"))]
fn process_figures(stage: &mut StageReport, processes: &crate::crew::Shared, of: usize) {
    stage.times.busy = processes.took();
    stage.workers = Some(Fill { now: processes.pids().len(), of });
    stage.restarts = processes.restarts() as u64;
    stage.errors = processes.deaths() as u64;
}

#[cfg(not(all(feature = "process", target_os = "linux")))]
fn process_figures(_: &mut StageReport, never: &std::convert::Infallible, _: usize) {
    match *never {}
}

/// Of worker processes it is known how long they worked. When they don't, there is no item for them: because none comes, or
/// because no feeder may take one.
fn idle_processes(stage: &mut StageReport, flow: &Flow, elapsed: Duration, until: u64) {
    let all = elapsed * flow.options.workers as u32;
    let idle = all.saturating_sub(stage.times.busy);
    let feeders = flow.lanes.iter().skip(flow.options.workers);
    // one at a time waits for room
    let room: Duration = feeders.map(|feeder| feeder.accounts(until).of(Doing::Room)).sum();
    stage.times.waiting_for_room = idle.mul_f64(part(room, elapsed, 1).min(1.0));
    stage.times.waiting_for_input = idle - stage.times.waiting_for_room;
}

/// Below this share of its time nobody is said to limit.
const IDLE: f64 = 0.5;

/// Whoever waits for less of his time hardly does.
const RARELY: f64 = 0.05;
/// Whoever waits for more of it does little else.
const MOSTLY: f64 = 0.5;

/// Something that may set the pace.
struct Suspect {
    load: f64,
    sentence: String,
}

/// Whoever has least time to spare sets the pace: threads by all that they run, a stage that one thread at a time pulls by
/// itself.
fn bottleneck(report: &Report, stages: &[Surveyed], tip: Option<usize>) -> Option<String> {
    if report.elapsed.is_zero() || report.stages.iter().all(|stage| stage.items_out == 0) {
        return None;
    }
    let mut suspects = Vec::new();
    // who runs the stages at hand, from below: at first the consumer
    let mut group = Group::default();
    for i in std::iter::successors(tip, |i| stages[*i].up) {
        let stage = &stages[i];
        match &stage.crew {
            Some(crew) => {
                suspects.extend(group.suspect(report));
                group = Group { owner: Some(i), below: Some(i), ..Group::default() };
                if crew.processes.is_some() {
                    group.members.push(i);
                    suspects.extend(group.suspect(report));
                    // one thread at a time pulls for them
                    group = Group { below: Some(i), ..Group::default() };
                    continue;
                }
            }
            // of several threads one at a time goes on from here
            None if stage.alone && group.owner.is_some() => {
                suspects.extend(group.suspect(report));
                group = Group { below: group.below, in_turn: true, ..Group::default() };
            }
            None => {}
        }
        group.members.push(i);
    }
    suspects.extend(group.suspect(report));
    let worst = suspects.into_iter().reduce(|a, b| if b.load > a.load { b } else { a })?;
    if worst.load >= IDLE {
        return Some(worst.sentence);
    }
    let why = "all wait for something that takes time without work";
    Some(format!("nothing limits by its work: {why}; the busiest is at {}", percent(worst.load)))
}

/// Stages that the same threads run.
#[derive(Default)]
struct Group {
    /// The queue whose workers they are.
    owner: Option<usize>,
    members: Vec<usize>,
    /// The queue below; none if whoever pulls the pipeline runs them.
    below: Option<usize>,
    /// A queue's workers run them, one at a time.
    in_turn: bool,
}

impl Group {
    fn suspect(&self, report: &Report) -> Option<Suspect> {
        let stages = self.members.iter().map(|i| &report.stages[*i]);
        let threads = self.owner.map_or(1, |i| report.stages[i].threads);
        let own = if self.below.is_none() { part(report.consumer.busy, report.elapsed, 1) } else { 0.0 };
        let load = own + stages.clone().map(|stage| stage.load(report.elapsed, threads)).sum::<f64>();
        let busiest = stages.max_by_key(|stage| stage.times.busy);
        let busiest = busiest.filter(|stage| stage.load(report.elapsed, threads) >= own);
        let sentence = match (busiest, self.owner) {
            (Some(stage), Some(queue)) => format!(
                "{} limits: its {threads} worker{} busy {} of the time{}",
                stage.title(),
                if threads == 1 { " is" } else { "s are" },
                percent(load),
                report.stages[queue].queue_after(report.elapsed),
            ),
            (Some(stage), None) if self.in_turn => {
                let (title, load) = (stage.title(), percent(load));
                format!("{title} limits: one thread at a time pulls it, and it is busy {load} of the time")
            }
            (Some(stage), None) => format!("{} limits: it takes {} of the time", stage.title(), percent(load)),
            (None, _) if self.below.is_none() => {
                let full = report.stages.iter().rev().find(|stage| stage.workers.is_some());
                let full = full.filter(|queue| queue.waits_for_room(report.elapsed) > MOSTLY);
                let full = full.map_or("", |_| ", the queue before it is full");
                format!("what pulls the pipeline limits: its own code takes {} of the time{full}", percent(load))
            }
            (None, _) => return None,
        };
        Some(Suspect { load, sentence })
    }
}

fn percent(load: f64) -> String {
    format!("{:.0} %", (100.0 * load).min(100.0))
}

impl StageReport {
    /// Which part of their time its workers wait for room.
    fn waits_for_room(&self, elapsed: Duration) -> f64 {
        part(self.times.waiting_for_room, elapsed, self.workers.map_or(1, |workers| workers.of))
    }

    /// By what its workers wait for: at this very moment it may be otherwise.
    fn queue_after(&self, elapsed: Duration) -> &'static str {
        if self.waits_for_room(elapsed) < RARELY { ", the queue after it is empty" } else { "" }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = Table::of(self).lines();
        lines.extend(self.bottleneck.clone());
        f.write_str(&lines.join("\n"))
    }
}
