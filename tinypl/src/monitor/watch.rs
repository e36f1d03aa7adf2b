//! `Monitor::watch`: the figures in the terminal while the pipeline runs. A thread of its own draws; the end is drawn by
//! whoever ends the pipeline, so that what he prints next stands below.
use super::panel::{self, Panel};
use super::table::{Table, rate};
use super::{Monitor, Report};
use crate::stderr::Room;
use crate::sync::{Arc, Condvar, Instant, Mutex};
use std::collections::VecDeque;
use std::fmt;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

/// How often the terminal is redrawn.
const FRAME: Duration = Duration::from_millis(500);
/// How often a line is written where there is no terminal.
const LINE: Duration = Duration::from_secs(10);
/// More often than this nobody can read it.
const SHORTEST: Duration = Duration::from_millis(10);
/// Rates and times are those of so many frames: of one alone they would jump.
const FRAMES: usize = 4;
/// The sentence below the table takes no more lines.
const SENTENCE: usize = 3;

/// A view of a pipeline's live figures, of [`Monitor::watch`]. It is there until it is dropped, or the pipeline ends.
#[must_use = "it is there until it is dropped: `let _view = monitor.watch();`"]
pub struct Watch {
    view: Arc<View>,
    thread: Option<JoinHandle<()>>,
}

/// What the thread that draws shares with others.
pub(super) struct View {
    monitor: Monitor,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    /// None where stderr is no terminal, and when it is over.
    panel: Option<Panel>,
    period: Duration,
    /// When the last frame was drawn.
    drawn: Instant,
    /// The last frames, the latest last; at first what was there at the beginning.
    past: VecDeque<Report>,
    over: bool,
}

impl Monitor {
    /// Shows the figures in the terminal while the pipeline runs: the table of a [`Report`] and who limits, on stderr, in
    /// place, twice a second.
    ///
    /// Counts are those since the start; rates and parts of the time are those of the last two seconds. What there is no
    /// room for is left out: columns, and of the stages without workers those that are least busy. When the pipeline ends, or
    /// the [`Watch`] is dropped, the report takes the view's place.
    ///
    /// It needs the feature `watch`. Where stderr is no terminal (or `TERM` is `dumb`) it writes a line every ten seconds and one at the end.
    ///
    /// What else the program prints meanwhile would tear the view, so print it in [`suspend`](Watch::suspend). Messages of
    /// panics are taken care of by a panic hook, which the first view of the process sets, and which calls the one that was
    /// set before. The terminal is in order at any moment: the cursor is never hidden, and Ctrl-C needs no handler.
    ///
    /// ```
    /// use tinypl::pipeline;
    ///
    /// let mut pipe = pipeline! { range(1000) |> thread::map(|x| x + 1, workers = 2) };
    /// let _view = pipe.monitor().watch();
    /// assert_eq!(pipe.count(), 1000);
    /// ```
    pub fn watch(&self) -> Watch {
        Watch::new(self.clone())
    }
}

impl Watch {
    fn new(monitor: Monitor) -> Self {
        let panel = Panel::new();
        let period = if panel.is_some() { FRAME } else { LINE };
        let past = VecDeque::from([monitor.report()]);
        let state = State { panel, period, drawn: Instant::now(), past, over: false };
        let view = Arc::new(View { monitor, state: Mutex::new(state), changed: Condvar::default() });
        view.monitor.ending().is_shown_by(&view);
        let drawing = view.clone();
        // without the thread there is the end, at least
        let thread = Builder::new().name("tinypl watch".to_owned()).spawn(move || drawing.draw()).ok();
        Self { view, thread }
    }

    /// How often it is renewed: twice a second, unless this says otherwise, and every ten seconds where stderr is no
    /// terminal. Rates are those of the last four times.
    ///
    /// More than a hundred times a second is the same as a hundred times.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tinypl::pipeline;
    ///
    /// let mut pipe = pipeline! { range(10) };
    /// let _view = pipe.monitor().watch().every(Duration::from_secs(60));
    /// assert_eq!(pipe.count(), 10);
    /// ```
    pub fn every(self, period: Duration) -> Self {
        self.view.state.lock().period = period.max(SHORTEST);
        self.view.changed.notify_all();
        self
    }

    /// Calls `f` while all views of the process are off the terminal, so that it may print. Pipelines go on meanwhile.
    ///
    /// ```
    /// use tinypl::pipeline;
    ///
    /// let mut pipe = pipeline! { range(3) };
    /// let view = pipe.monitor().watch();
    /// for x in pipe {
    ///     view.suspend(|| println!("{x}"));
    /// }
    /// ```
    pub fn suspend<R>(&self, f: impl FnOnce() -> R) -> R {
        panel::suspend(f)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.view.end();
        if let Some(thread) = self.thread.take() {
            // it doesn't panic, and if it did, that would be no reason to do so here
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Watch").field(&self.view.monitor).finish()
    }
}

impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("View").field(&self.monitor).finish()
    }
}

impl State {
    /// How long till the next frame. On a terminal the first one comes soon, but figures of no time at all say nothing.
    fn pause(&self) -> Duration {
        let is_first = self.panel.is_some() && self.past.len() == 1;
        let pause = if is_first { self.period / 5 } else { self.period };
        pause.saturating_sub(self.drawn.elapsed())
    }
}

impl View {
    /// What the thread does.
    fn draw(&self) {
        let mut state = self.state.lock();
        while !state.over {
            match state.pause() {
                Duration::ZERO => self.frame(&mut state),
                pause => state = self.changed.wait_for(state, pause),
            }
        }
    }

    fn frame(&self, state: &mut State) {
        let report = self.monitor.report();
        if state.past.back().is_some_and(|last| last.elapsed == report.elapsed) {
            // its clock stands still: it has ended, and nobody told, as one doesn't who borrowed it
            return self.leave(state);
        }
        let live = report.since(&state.past[0], &self.monitor);
        match &state.panel {
            Some(panel) => panel.show(lines(&live, &report, panel.room())),
            None => panel::say(&line(&live, &report)),
        }
        state.drawn = Instant::now();
        state.past.push_back(report);
        if state.past.len() > FRAMES {
            state.past.pop_front();
        }
    }

    /// The pipeline has ended, or nobody wants to see more of it: the report stays.
    pub(super) fn end(&self) {
        self.leave(&mut self.state.lock());
    }

    fn leave(&self, state: &mut State) {
        if std::mem::replace(&mut state.over, true) {
            return;
        }
        self.changed.notify_all();
        let report = self.monitor.report();
        match state.panel.take() {
            Some(panel) => {
                let Room { columns, .. } = panel.room();
                let mut lines = Table::of(&report).fitted(columns);
                lines.extend(wrapped(&summary(&report, &report), columns, usize::MAX));
                panel.leave(lines);
            }
            None => panel::say(&line(&report, &report)),
        }
    }
}

/// The table, and below it the summary.
fn lines(live: &Report, report: &Report, room: Room) -> Vec<String> {
    let sentence = wrapped(&summary(live, report), room.columns, SENTENCE.min(room.lines.div_ceil(4)));
    let left = room.lines.saturating_sub(sentence.len());
    let mut lines = Table::short(live, left).fitted(room.columns);
    lines.truncate(left);
    lines.extend(sentence);
    lines
}

/// How far it is, how quick at the moment, and who limits.
fn summary(live: &Report, report: &Report) -> String {
    let (items, rate) = live.stages.last().map_or((0, 0.0), |stage| (stage.items_out, stage.per_second));
    let (after, rate) = (time(report.elapsed), self::rate(rate));
    let bottleneck = live.bottleneck.as_ref().map_or(String::new(), |sentence| format!("; {sentence}"));
    format!("after {after}: {items} item{}, {rate}/s{bottleneck}", if items == 1 { "" } else { "s" })
}

/// All of it where stderr is no terminal.
fn line(live: &Report, report: &Report) -> String {
    format!("tinypl {}", summary(live, report))
}

fn time(time: Duration) -> String {
    match time.as_secs() {
        0..10 => format!("{:.1} s", time.as_secs_f64()),
        n @ 10..60 => format!("{n} s"),
        n @ 60..3600 => format!("{} min {} s", n / 60, n % 60),
        n => format!("{} h {} min", n / 3600, n % 3600 / 60),
    }
}

/// In lines of at most this width, broken between words, and at most so many.
fn wrapped(text: &str, width: usize, most: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is one");
        if line.is_empty() {
            line.push_str(word);
        } else if console::measure_text_width(line) + 1 + console::measure_text_width(word) <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    if lines.len() > most {
        // the terminal's own cut shows that there was more
        let rest = lines.split_off(most.saturating_sub(1)).join(" ");
        lines.push(rest);
    }
    lines
}
