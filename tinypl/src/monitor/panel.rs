//! Lines at the end of what stands on the terminal, which are redrawn in place. All of the process share it: one redraws for
//! all.
//!
//! The cursor always rests at the beginning of the line below them, it is never hidden, and nothing is written in colour. So
//! whatever ends the process, and at whatever moment, leaves the terminal in order.
use crate::sync::{Mutex, MutexGuard};
use console::{Term, is_dumb, truncate_str};
use std::io;
use std::panic;
use std::sync::{LazyLock, Once};
use std::thread;
use std::time::Duration;

static TERMINAL: LazyLock<Terminal> =
    LazyLock::new(|| Terminal { term: Term::buffered_stderr(), state: Mutex::new(State::default()) });

/// How long a panic waits for the terminal before its message comes wherever it may.
const PATIENCE: Duration = Duration::from_millis(200);

/// Stderr.
struct Terminal {
    term: Term,
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

/// How much of the terminal a panel may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    pub(super) columns: usize,
    pub(super) lines: usize,
}

impl Panel {
    /// Without a line so far; none if stderr is no terminal, or one that can't move its cursor.
    pub(super) fn new() -> Option<Self> {
        if !TERMINAL.term.is_term() || is_dumb() {
            return None;
        }
        heed_panics();
        let mut state = TERMINAL.state.lock();
        state.count += 1;
        let id = state.count;
        state.panels.push(Shown { id, lines: Vec::new() });
        Some(Self { id })
    }

    pub(super) fn room(&self) -> Room {
        let state = TERMINAL.state.lock();
        let Room { columns, lines } = TERMINAL.room();
        Room { columns, lines: lines / state.panels.len().max(1) }
    }

    /// These are its lines now.
    pub(super) fn show(&self, lines: Vec<String>) {
        let mut state = TERMINAL.state.lock();
        if let Some(shown) = state.panels.iter_mut().find(|shown| shown.id == self.id) {
            shown.lines = lines;
        }
        TERMINAL.draw(&mut state);
    }

    /// It is no more, and these lines stay in its place.
    pub(super) fn leave(self, lines: Vec<String>) {
        let mut state = TERMINAL.state.lock();
        state.panels.retain(|shown| shown.id != self.id);
        state.due.extend(lines);
        TERMINAL.draw(&mut state);
    }
}

/// Calls `f` while no panel is on the terminal. No lock is held meanwhile: `f` may do what it likes.
pub(super) fn suspend<R>(f: impl FnOnce() -> R) -> R {
    let _suspended = Suspended::new(TERMINAL.state.lock());
    f()
}

/// Panels are off the terminal while it lives.
struct Suspended;

impl Suspended {
    fn new(mut state: MutexGuard<'_, State>) -> Self {
        state.suspended += 1;
        TERMINAL.attempt(&mut state, |state| TERMINAL.clear(state));
        Self
    }
}

impl Drop for Suspended {
    fn drop(&mut self) {
        let mut state = TERMINAL.state.lock();
        state.suspended -= 1;
        TERMINAL.draw(&mut state);
    }
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
        panic::set_hook(Box::new(move |panic| {
            // this very thread may hold the lock
            let _suspended = TERMINAL.state.try_lock_for(PATIENCE).map(Suspended::new);
            before(panic);
        }));
    });
}

impl Terminal {
    fn room(&self) -> Room {
        let (rows, columns) = self.term.size();
        // some terminals go on to the next line with the last column, and the cursor needs a line
        Room {
            columns: usize::from(columns).saturating_sub(1).max(1),
            lines: usize::from(rows).saturating_sub(1).max(1),
        }
    }

    fn draw(&self, state: &mut State) {
        if state.suspended == 0 {
            self.attempt(state, |state| self.redraw(state));
        }
    }

    /// All at once, so that no half of it is ever seen.
    fn attempt(&self, state: &mut State, write: impl FnOnce(&mut State) -> io::Result<()>) {
        state.gone = state.gone || write(state).and_then(|()| self.term.flush()).is_err();
    }

    fn clear(&self, state: &mut State) -> io::Result<()> {
        if state.drawn > 0 {
            self.term.move_cursor_up(state.drawn)?;
            self.term.clear_to_end_of_screen()?;
        }
        state.drawn = 0;
        Ok(())
    }

    fn redraw(&self, state: &mut State) -> io::Result<()> {
        let room = self.room();
        self.clear(state)?;
        for line in state.due.drain(..) {
            self.term.write_line(&fitted(&line, room))?;
        }
        for line in state.panels.iter().flat_map(|shown| &shown.lines).take(room.lines) {
            self.term.write_line(&fitted(line, room))?;
            state.drawn += 1;
        }
        Ok(())
    }
}

/// Whatever it holds, it takes one line.
fn fitted(line: &str, room: Room) -> String {
    let line: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    truncate_str(&line, room.columns, "…").into_owned()
}
