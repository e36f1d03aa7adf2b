//! Stderr, as a terminal whose cursor moves, or as a file that gets lines.
//!
//! What is written goes past the lock that the standard library has around stderr. Whoever holds that may be about to end the
//! pipeline, or wait for a worker that is about to panic: those must not wait for him.
use console::{Term, is_dumb};
#[cfg(feature = "progress")]
use indicatif::TermLike;
use std::io;

/// How much of a terminal lines may take.
#[cfg(feature = "watch")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    pub(crate) columns: usize,
    pub(crate) lines: usize,
}

/// What is written is gathered until it is printed, all at once: no half of it is ever seen.
#[derive(Debug)]
pub(crate) struct Stderr {
    term: Term,
    page: page::Page,
}

impl Stderr {
    /// None if there is none, or another process draws there.
    pub(crate) fn new() -> Option<Self> {
        #[cfg(all(feature = "process", target_os = "linux"))]
        if crate::crew::in_worker() {
            return None;
        }
        let (term, page) = page::open().ok()?;
        Some(Self { term, page })
    }

    /// Whether it is a terminal, and one that can move its cursor.
    pub(crate) fn is_terminal(&self) -> bool {
        self.term.is_term() && !is_dumb()
    }

    #[cfg(feature = "watch")]
    pub(crate) fn room(&self) -> Room {
        let (rows, columns) = self.term.size();
        // some terminals go on to the next line with the last column, and the cursor needs a line
        Room { columns: usize::from(columns.max(2) - 1), lines: usize::from(rows.max(2) - 1) }
    }

    /// The last lines are no more.
    #[cfg(feature = "watch")]
    pub(crate) fn take_back(&self, lines: usize) -> io::Result<()> {
        if lines > 0 {
            self.term.move_cursor_up(lines)?;
            self.term.clear_to_end_of_screen()?;
        }
        Ok(())
    }

    #[cfg(feature = "watch")]
    pub(crate) fn line(&self, line: &str) -> io::Result<()> {
        self.term.write_line(line)
    }

    #[cfg(feature = "progress")]
    pub(crate) fn end_line(&self) -> io::Result<()> {
        self.term.write_line("")?;
        self.print()
    }

    pub(crate) fn print(&self) -> io::Result<()> {
        self.page.print(&self.term)
    }
}

/// What indicatif draws with.
#[cfg(feature = "progress")]
impl TermLike for Stderr {
    fn width(&self) -> u16 {
        TermLike::width(&self.term)
    }

    fn height(&self) -> u16 {
        TermLike::height(&self.term)
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.term.move_cursor_up(n)
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.term.move_cursor_down(n)
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.term.move_cursor_right(n)
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.term.move_cursor_left(n)
    }

    fn write_line(&self, line: &str) -> io::Result<()> {
        self.term.write_line(line)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.term.write_str(text)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.term.clear_line()
    }

    fn flush(&self) -> io::Result<()> {
        self.print()
    }
}

#[cfg(unix)]
mod page {
    use crate::sync::{Arc, Mutex};
    use console::Term;
    use std::fs::File;
    use std::io::{self, Write, stderr, stdin};
    use std::os::fd::{AsFd, AsRawFd, RawFd};

    /// What a `Term` writes.
    #[derive(Clone, Debug)]
    pub(super) struct Page {
        stderr: Arc<File>,
        text: Arc<Mutex<Vec<u8>>>,
    }

    pub(super) fn open() -> io::Result<(Term, Page)> {
        let stderr = Arc::new(File::from(stderr().as_fd().try_clone_to_owned()?));
        let page = Page { stderr, text: Arc::default() };
        // nothing is read
        Ok((Term::read_write_pair(stdin(), page.clone()), page))
    }

    impl Page {
        pub(super) fn print(&self, _: &Term) -> io::Result<()> {
            let text = std::mem::take(&mut *self.text.lock());
            (&*self.stderr).write_all(&text)
        }
    }

    impl Write for Page {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            self.text.lock().extend_from_slice(text);
            Ok(text.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl AsRawFd for Page {
        fn as_raw_fd(&self) -> RawFd {
            self.stderr.as_raw_fd()
        }
    }
}

#[cfg(not(unix))]
mod page {
    use console::Term;
    use std::io;

    /// The `Term` has its own.
    #[derive(Debug)]
    pub(super) struct Page;

    pub(super) fn open() -> io::Result<(Term, Page)> {
        Ok((Term::buffered_stderr(), Page))
    }

    impl Page {
        pub(super) fn print(&self, term: &Term) -> io::Result<()> {
            term.flush()
        }
    }
}
