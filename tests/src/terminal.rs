//! Programs in a pseudo-terminal, and what stands on it.
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use std::fs::File;
use std::io::{Read, Write};
use std::num::NonZero;
use std::os::fd::AsFd;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};

/// The size of a terminal, and what it calls itself.
#[derive(Clone, Copy, Debug)]
pub struct Terminal {
    pub rows: u16,
    pub columns: u16,
    pub term: &'static str,
}

impl Terminal {
    pub fn new(rows: u16, columns: u16) -> Self {
        Self { rows, columns, term: "xterm-256color" }
    }

    /// Starts a program with stdout and stderr on the terminal. Its stdin is a pipe, for [`Session::say`].
    pub fn run(self, command: &mut Command) -> Session {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let ours = openpt(flags).expect("a pseudo-terminal");
        grantpt(&ours).expect("ours");
        unlockpt(&ours).expect("ours");
        set_size(&ours, self.rows, self.columns);
        let theirs = || Stdio::from(ioctl_tiocgptpeer(&ours, flags).expect("its other end"));
        command.env("TERM", self.term).stdin(Stdio::piped()).stdout(theirs()).stderr(theirs());
        let mut child = command.spawn().expect("the program starts");
        // our copies of the other end go, so that its end is seen
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let stdin = child.stdin.take();
        let [rows, columns] = [self.rows, self.columns].map(|n| NonZero::new(n).expect("a terminal has room"));
        let parser = vt100::Parser::new(rows, columns, 0);
        Session { child, stdin, ours: File::from(ours), parser, written: Vec::new(), overflowed: false }
    }
}

fn set_size(terminal: impl AsFd, rows: u16, columns: u16) {
    let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(terminal, size).expect("a terminal has a size");
}

/// A program that runs in a terminal.
pub struct Session {
    child: Child,
    stdin: Option<ChildStdin>,
    ours: File,
    parser: vt100::Parser,
    written: Vec<u8>,
    overflowed: bool,
}

impl Session {
    /// Gives the program a line to read.
    pub fn say(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().expect("it was not ended");
        writeln!(stdin, "{line}").expect("the program reads");
    }

    /// Waits until the terminal's lines, without those that are blank, are as they should be.
    pub fn until(&mut self, are_right: impl Fn(&[String]) -> bool) {
        while !are_right(&self.lines()) {
            assert!(self.read(), "the program has ended, and the terminal shows\n{}", self.lines().join("\n"));
        }
    }

    /// The terminal gets another size.
    pub fn resize(&mut self, rows: u16, columns: u16) {
        set_size(&self.ours, rows, columns);
        let [rows, columns] = [rows, columns].map(|n| NonZero::new(n).expect("a terminal has room"));
        self.parser.set_size(rows, columns);
    }

    /// Sends the program a signal.
    pub fn signal(&mut self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("it lives");
    }

    /// Lets the program end; waits for that. From now on the terminal shows what stays.
    pub fn end(&mut self) -> ExitStatus {
        self.stdin = None;
        while self.read() {}
        self.child.wait().expect("it can be waited for")
    }

    /// What stands on the terminal: its lines, from the first to the last that is not blank.
    pub fn lines(&self) -> Vec<String> {
        let screen = self.parser.screen();
        let (_, columns) = screen.size();
        let mut lines: Vec<String> = screen.rows(0, columns.get()).map(|line| line.trim_end().to_owned()).collect();
        while lines.last().is_some_and(String::is_empty) {
            lines.pop();
        }
        lines
    }

    /// Whether any line ever went on in the next one.
    pub fn overflowed(&self) -> bool {
        self.overflowed
    }

    /// Where the cursor is, by row and column; `None` if it is hidden.
    pub fn cursor(&self) -> Option<(u16, u16)> {
        let screen = self.parser.screen();
        (!screen.hide_cursor()).then(|| screen.cursor_position())
    }

    /// All that was written so far.
    pub fn written(&self) -> &[u8] {
        &self.written
    }

    /// Reads what has been written, or waits for it; false when all who could write are gone.
    pub fn read(&mut self) -> bool {
        let mut buffer = [0; 4096];
        // Linux says EIO when the other end is closed
        let n = self.ours.read(&mut buffer).unwrap_or(0);
        for line in buffer[..n].split_inclusive(|byte| *byte == b'\n') {
            self.parser.process(line);
            let screen = self.parser.screen();
            self.overflowed |= (0..screen.size().0.get()).any(|row| screen.row_wrapped(row));
        }
        self.written.extend_from_slice(&buffer[..n]);
        n > 0
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
