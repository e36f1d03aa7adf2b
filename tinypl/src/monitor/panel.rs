//! Lines at the end of what stands on the terminal, which are redrawn in place. All of the process share it: one redraws for
//! all.
//!
//! The cursor always rests at the beginning of the line below them, it is never hidden, and nothing is written in colour. So
//! whatever ends the process, and at whatever moment, leaves the terminal in order.
use crate::stderr::{Room, Stderr};
use crate::sync::Mutex;
use console::truncate_str;
use std::io;
use std::panic;
use std::sync::{LazyLock, Once};
use std::thread;
use std::time::Duration;

static TERMINAL: LazyLock<Terminal> = LazyLock::new(|| Terminal { stderr: Stderr::new(), state: Mutex::default() });

/// How long a panic waits for the terminal before its message comes wherever it may.
const PATIENCE: Duration = Duration::from_millis(200);

struct Terminal {
    stderr: Option<Stderr>,
    /// Whoever writes holds it.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    panels: Vec<Shown>,
    /// How many lines of panels stand on the terminal.
    drawn: usize,
    /// What is to stay on the terminal, above the panels.
    due: Vec<String>,
    /// How many have asked for the terminal to themselves.
    suspended: usize,
    /// Nothing can be written any more.
    gone: bool,
    /// How many panels there were.
    count: u64,
}

struct Shown {
    id: u64,
    lines: Vec<String>,
}

/// Some lines of the terminal.
#[derive(Debug)]
pub(super) struct Panel {
    id: u64,
}

impl Panel {
    /// Without a line so far; none if stderr is no terminal, or one that can't move its cursor.
    pub(super) fn new() -> Option<Self> {
        TERMINAL.stderr.as_ref().filter(|stderr| stderr.is_terminal())?;
        heed_panics();
        let mut state = TERMINAL.state.lock();
        state.count += 1;
        let id = state.count;
        state.panels.push(Shown { id, lines: Vec::new() });
        Some(Self { id })
    }

    /// How much of the terminal it may take.
    pub(super) fn room(&self) -> Room {
        let panels = TERMINAL.state.lock().panels.len();
        let Room { columns, lines } = TERMINAL.room();
        Room { columns, lines: lines.saturating_sub(bars()) / panels.max(1) }
    }

    /// These are its lines now.
    pub(super) fn show(&self, lines: Vec<String>) {
        aside(|| {
            let mut state = TERMINAL.state.lock();
            if let Some(shown) = state.panels.iter_mut().find(|shown| shown.id == self.id) {
                shown.lines.clone_from(&lines);
            }
            TERMINAL.draw(&mut state);
        });
    }

    /// It is no more, and these lines stay in its place.
    pub(super) fn leave(self, lines: Vec<String>) {
        aside(|| {
            let mut state = TERMINAL.state.lock();
            state.panels.retain(|shown| shown.id != self.id);
            state.due.extend_from_slice(&lines);
            TERMINAL.draw(&mut state);
        });
    }
}

/// A line where stderr is no terminal, and nobody has a panel.
pub(super) fn say(line: &str) {
    let mut state = TERMINAL.state.lock();
    TERMINAL.write(&mut state, |_, stderr| stderr.line(&plain(line)));
}

/// These lines stay, above the panels.
#[cfg(feature = "progress")]
pub(crate) fn print(lines: Vec<String>) {
    let mut state = TERMINAL.state.lock();
    state.due.extend(lines);
    TERMINAL.draw(&mut state);
}

/// Whether any panel stands on the terminal.
#[cfg(feature = "progress")]
pub(crate) fn is_shown() -> bool {
    !TERMINAL.state.lock().panels.is_empty()
}

/// Calls `f` while neither a panel nor a bar is on the terminal. No lock is held meanwhile: `f` may do what it likes.
pub(super) fn suspend<R>(f: impl FnOnce() -> R) -> R {
    #[cfg(feature = "progress")]
    return crate::bars::suspend(f);
    #[cfg(not(feature = "progress"))]
    {
        let _hidden = Hidden::by(&mut TERMINAL.state.lock());
        f()
    }
}

/// Calls `f` while no bar is on the terminal: they stand below the panels.
fn aside(f: impl Fn() + Sync) {
    #[cfg(feature = "progress")]
    crate::bars::aside(f);
    #[cfg(not(feature = "progress"))]
    f();
}

/// How many lines bars take.
fn bars() -> usize {
    #[cfg(feature = "progress")]
    return crate::bars::lines();
    #[cfg(not(feature = "progress"))]
    0
}

/// Panels are off the terminal until [`unhide`].
#[cfg(feature = "progress")]
pub(crate) fn hide() {
    hide_by(&mut TERMINAL.state.lock());
}

fn hide_by(state: &mut State) {
    state.suspended += 1;
    TERMINAL.write(state, State::clear);
}

pub(crate) fn unhide() {
    let mut state = TERMINAL.state.lock();
    state.suspended -= 1;
    TERMINAL.draw(&mut state);
}

/// From now on no panel is drawn over the message of a panic.
fn heed_panics() {
    static HOOK: Once = Once::new();
    if thread::panicking() {
        // then the hook can't be changed
        return;
    }
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |panic| suspend_for_panic(|| before(panic))));
    });
}

/// As [`suspend`]; this very thread may hold a lock, so it does not wait for ever.
fn suspend_for_panic(f: impl FnOnce()) {
    #[cfg(feature = "progress")]
    crate::bars::suspend_for_panic(PATIENCE, f);
    #[cfg(not(feature = "progress"))]
    {
        let hidden = TERMINAL.state.try_lock_for(PATIENCE).map(|mut state| Hidden::by(&mut state));
        f();
        drop(hidden);
    }
}

/// Panels are off the terminal while it lives.
#[cfg(not(feature = "progress"))]
struct Hidden;

#[cfg(not(feature = "progress"))]
impl Hidden {
    fn by(state: &mut State) -> Self {
        hide_by(state);
        Self
    }
}

#[cfg(not(feature = "progress"))]
impl Drop for Hidden {
    fn drop(&mut self) {
        unhide();
    }
}

impl Terminal {
    fn room(&self) -> Room {
        self.stderr.as_ref().map_or(Room { columns: 80, lines: 24 }, Stderr::room)
    }

    fn draw(&self, state: &mut State) {
        if state.suspended == 0 {
            self.write(state, State::draw);
        }
    }

    fn write(&self, state: &mut State, write: impl FnOnce(&mut State, &Stderr) -> io::Result<()>) {
        let Some(stderr) = self.stderr.as_ref().filter(|_| !state.gone) else { return };
        state.gone = write(state, stderr).and_then(|()| stderr.print()).is_err();
    }
}

impl State {
    fn clear(&mut self, stderr: &Stderr) -> io::Result<()> {
        stderr.take_back(std::mem::take(&mut self.drawn))
    }

    fn draw(&mut self, stderr: &Stderr) -> io::Result<()> {
        let room = stderr.room();
        self.clear(stderr)?;
        for line in self.due.drain(..) {
            stderr.line(&fitted(&line, room))?;
        }
        for line in self.panels.iter().flat_map(|shown| &shown.lines).take(room.lines) {
            stderr.line(&fitted(line, room))?;
            self.drawn += 1;
        }
        Ok(())
    }
}

/// Whatever it holds, it takes one line.
fn fitted(line: &str, room: Room) -> String {
    truncate_str(&plain(line), room.columns, "…").into_owned()
}

/// Without what would move the cursor: a path may hold anything.
fn plain(line: &str) -> String {
    line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
