//! The terminal: all bars of the process stand in it, one below the other, and one thread redraws them while there are any.
//! Above them stand the views of figures, if there are any (`monitor::panel`). Where both locks are held, this one comes first.
use super::{Bar, line};
#[cfg(feature = "watch")]
use crate::monitor::panel;
use crate::stderr::Stderr;
use crate::sync::{Arc, Builder, Condvar, Mutex, MutexGuard};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget};
use std::sync::LazyLock;
use std::time::Duration;

/// How often the bars are redrawn.
const TICK: Duration = Duration::from_millis(100);

/// How often in a second indicatif draws at most.
const HERTZ: u8 = 20;

static SCREEN: LazyLock<Screen> = LazyLock::new(|| {
    let terminal = || Stderr::new().filter(Stderr::is_terminal);
    let target = terminal()
        .map(|stderr| ProgressDrawTarget::term_like_with_hz(Box::new(stderr), HERTZ))
        .unwrap_or_else(ProgressDrawTarget::hidden);
    Screen {
        terminal: terminal(),
        lines: MultiProgress::with_draw_target(target),
        state: Mutex::new(State::default()),
        changed: Condvar::default(),
    }
});

/// Its lines are touched under the lock of `state` alone.
struct Screen {
    /// Stderr, if it is a terminal, and ours.
    terminal: Option<Stderr>,
    lines: MultiProgress,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    bars: Vec<Shown>,
    /// Whether a thread redraws them.
    drawn: bool,
    /// How many have asked for the terminal to themselves.
    suspended: usize,
    /// What bars that are over have left to say; waits until nobody has the terminal to himself.
    due: Vec<String>,
}

struct Shown {
    bar: Arc<Bar>,
    line: ProgressBar,
}

/// A bar appears, unless it is there or stderr is no terminal.
pub(super) fn show(bar: &Arc<Bar>) {
    if SCREEN.is_visible() {
        undisturbed(|| SCREEN.show(bar));
    }
}

/// A bar is over: a line says what it counted.
pub(super) fn retire(bar: &Arc<Bar>) {
    if SCREEN.is_visible() {
        undisturbed(|| SCREEN.retire(bar));
    }
}

/// Calls `f` while no bar is on the terminal. No lock is held meanwhile: `f` may do what it likes.
pub(crate) fn suspend<R>(f: impl FnOnce() -> R) -> R {
    let _suspended = SCREEN.is_visible().then(Suspended::new);
    f()
}

/// As [`suspend`], for a message of a panic; it waits no longer than that for the terminal.
#[cfg(feature = "watch")]
pub(crate) fn suspend_for_panic(patience: Duration, f: impl FnOnce()) {
    let suspended = Mutex::new(None);
    undisturbed(|| *suspended.lock() = SCREEN.state.try_lock_for(patience).map(Suspended::by));
    f();
    drop(suspended);
}

/// Calls `f`, which draws what stands above the bars, while these are off the terminal.
#[cfg(feature = "watch")]
pub(crate) fn aside(f: impl Fn() + Sync) {
    undisturbed(|| {
        let mut state = SCREEN.state.lock();
        SCREEN.clear(&state);
        f();
        SCREEN.draw(&mut state);
    });
}

/// How many lines of the terminal the bars take.
#[cfg(feature = "watch")]
pub(crate) fn lines() -> usize {
    SCREEN.state.lock().bars.len()
}

/// The bars are off the terminal while it lives.
struct Suspended;

impl Suspended {
    fn new() -> Self {
        Self::by(SCREEN.state.lock())
    }

    fn by(mut state: MutexGuard<'_, State>) -> Self {
        SCREEN.clear(&state);
        state.suspended += 1;
        #[cfg(feature = "watch")]
        panel::hide();
        Self
    }
}

impl Drop for Suspended {
    fn drop(&mut self) {
        undisturbed(|| {
            let mut state = SCREEN.state.lock();
            state.suspended -= 1;
            #[cfg(feature = "watch")]
            panel::unhide();
            SCREEN.draw(&mut state);
        });
    }
}

impl Screen {
    fn is_visible(&self) -> bool {
        self.terminal.is_some()
    }

    fn show(&'static self, bar: &Arc<Bar>) {
        let mut state = self.state.lock();
        if state.bars.iter().any(|shown| Arc::ptr_eq(&shown.bar, bar)) {
            return;
        }
        state.bars.push(Shown::new(bar, &self.lines));
        self.draw(&mut state);
        if !state.drawn {
            // without it the bar stands still until it is over
            state.drawn = Builder::new().name("tinypl progress".to_owned()).spawn(|| self.redraw()).is_ok();
        }
    }

    fn retire(&self, bar: &Arc<Bar>) {
        let mut state = self.state.lock();
        if bar.is_counting() {
            // another puller has begun meanwhile
            return;
        }
        let Some(i) = state.bars.iter().position(|shown| Arc::ptr_eq(&shown.bar, bar)) else { return };
        let shown = state.bars.remove(i);
        self.lines.remove(&shown.line);
        state.due.push(line::last(bar));
        self.draw(&mut state);
        if state.bars.is_empty() {
            self.changed.notify_all();
        }
    }

    fn clear(&self, state: &State) {
        if state.suspended == 0 && !state.bars.is_empty() {
            let _ = self.lines.clear();
        }
    }

    /// Brings the terminal up to date, if it is ours.
    fn draw(&self, state: &mut State) {
        if state.suspended > 0 {
            return;
        }
        #[cfg(feature = "watch")]
        if !state.due.is_empty() && panel::is_shown() {
            let _ = self.lines.clear();
            panel::print(std::mem::take(&mut state.due));
        }
        let said = !state.due.is_empty();
        for line in state.due.drain(..) {
            // above all bars, where it stays
            let _ = self.lines.println(line);
        }
        if state.bars.is_empty() && said {
            // else the shell's prompt would follow in the last line
            let _ = self.terminal.as_ref().map(Stderr::end_line);
        }
        state.bars.iter_mut().for_each(Shown::draw);
    }

    /// What the thread does, as long as there are bars.
    fn redraw(&self) {
        let mut state = self.state.lock();
        while !state.bars.is_empty() {
            state = self.nap(state);
            self.draw(&mut state);
        }
        state.drawn = false;
    }

    fn nap<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed.wait_for(state, TICK)
    }
}

impl Shown {
    fn new(bar: &Arc<Bar>, lines: &MultiProgress) -> Self {
        let line = match bar.len() {
            Some(len) => ProgressBar::new(len),
            None => ProgressBar::no_length(),
        };
        // before it has its style it must not be drawn, so it joins the others last
        line.set_style(line::labelled(line::style(bar.len().is_some()), bar));
        Self { bar: bar.clone(), line: lines.add(line.with_elapsed(bar.elapsed())) }
    }

    fn draw(&mut self) {
        if self.line.length().is_some() && self.bar.len().is_none() {
            // there are more items than was said
            self.line.set_style(line::labelled(line::style(false), &self.bar));
            self.line.unset_length();
        }
        let position = self.bar.position();
        self.line.update(|state| state.set_pos(position));
    }
}

/// Calls `f` on a thread that doesn't panic: on one that does, indicatif draws nothing.
fn undisturbed(f: impl Fn() + Sync) {
    if !std::thread::panicking() {
        return f();
    }
    std::thread::scope(|scope| {
        match std::thread::Builder::new().spawn_scoped(scope, &f) {
            // a second panic would abort
            Ok(thread) => drop(thread.join()),
            Err(_) => f(),
        }
    });
}
