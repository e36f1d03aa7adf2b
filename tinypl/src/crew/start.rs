//! Starts a worker process, tells it what it is to run, and ends it.
use super::entry::{self, Entry, Executable, MAGIC, VARIABLE};
use super::luggage::{Boarded, Passenger, Seat};
use super::page::{self, Page};
use super::task::{Hello, Task};
use super::wire::{self, Frames, Kind};
use super::worker::{MOST_FDS, enter};
use crate::shm::{Backend, Region};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, retry_on_intr};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, send, sendmsg};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open};
use std::any::{Any, type_name};
use std::io::{self, IoSlice, Read};
use std::mem::MaybeUninit;
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{env, mem};

/// How long to wait before a worker that could not be told is told again.
const AGAIN: Duration = Duration::from_millis(1);

/// What all workers of a stage are told.
pub(crate) struct Plan {
    entry: i64,
    functions: Vec<i64>,
    task: String,
    context: Vec<u8>,
    pub(crate) passengers: Vec<Arc<dyn Passenger>>,
}

impl Plan {
    /// # Errors
    /// A sentence that says why no worker can be started.
    pub(crate) fn new<T: Task>(task: T, context: Vec<u8>, passengers: Vec<Arc<dyn Passenger>>) -> Result<Self, String> {
        if let Some(obstacle) = entry::obstacle() {
            return Err(obstacle.to_owned());
        }
        let addresses = task.addresses();
        if !addresses.iter().all(|address| entry::in_executable(*address)) {
            return Err("the function lies in a shared library, where a worker may not find it: \
                        call it from a closure, `|x| f(x)`"
                .to_owned());
        }
        let functions = addresses.into_iter().map(entry::offset).collect();
        Ok(Self {
            entry: entry::offset(enter::<T> as Entry as usize),
            functions,
            task: type_name::<T>().to_owned(),
            context,
            passengers,
        })
    }
}

/// The way to a worker.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) socket: UnixStream,
    /// Tells of its death, even if somebody else holds its end of the socket: a process that its function forked, say. `None` where
    /// the system has no such descriptor (Linux before 5.3), or has none left.
    pub(super) death: Option<OwnedFd>,
}

/// A worker that has said that it is ready.
pub(crate) struct Worker {
    child: Child,
    pub(crate) line: Arc<Line>,
    pub(crate) page: Arc<Page>,
    /// What came after its `Ready`.
    pub(crate) frames: Frames,
    pub(crate) seats: Arc<[Seat]>,
    /// Held until all that it sent is decoded.
    tickets: Vec<Box<dyn Any + Send>>,
}

/// Why a worker did not start.
#[derive(Debug)]
pub(crate) enum NoStart {
    /// The stage ends before.
    Quit,
    /// It says so itself, or something is wrong at the other end: another one would do the same.
    Refused(String),
    /// It died.
    Died(ExitStatus),
    /// It was not heard of in time.
    Late,
    /// The system has not what it takes.
    System(io::Error),
}

/// How a worker came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Itself,
    Killed,
}

impl From<io::Error> for NoStart {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}

impl Worker {
    /// # Errors
    /// When it could not be started, or when there is something to read at `quit` before it is ready.
    pub(crate) fn start(plan: &Plan, limit: Duration, quit: BorrowedFd<'_>) -> Result<Self, NoStart> {
        let region = Region::create(page::SIZE, Backend::Memfd).map_err(io::Error::other)?;
        let mut fds = vec![region.fd().try_clone_to_owned()?];
        let (mut passengers, mut seats, mut tickets) = (Vec::new(), Vec::new(), Vec::new());
        for passenger in &plan.passengers {
            let Boarded { fds: own, seat, ticket } = passenger.board()?;
            passengers.push(own.len());
            seats.push(seat);
            fds.extend(own);
            tickets.push(ticket);
        }
        let hello = Hello {
            executable: Executable::own()?,
            entry: plan.entry,
            functions: plan.functions.clone(),
            task: plan.task.clone(),
            context: plan.context.clone(),
            passengers,
        };
        let (socket, theirs) = UnixStream::pair()?;
        let child = spawn(theirs)?;
        let (line, page) = (Arc::new(Line::to(&child, socket)), Arc::new(Page::new(region)));
        let mut worker = Self { child, line, page, frames: Frames::default(), seats: seats.into(), tickets };
        worker.greet(&hello, &fds, Instant::now() + limit, quit)?;
        Ok(worker)
    }

    fn greet(
        &mut self,
        hello: &Hello,
        fds: &[OwnedFd],
        deadline: Instant,
        quit: BorrowedFd<'_>,
    ) -> Result<(), NoStart> {
        let mut magic = [0; mem::size_of_val(&MAGIC)];
        let mut known = 0;
        while known < magic.len() {
            self.await_bytes(deadline, quit)?;
            match (&self.line.socket).read(&mut magic[known..]) {
                Ok(0) => return Err(self.gone(io::ErrorKind::UnexpectedEof.into())),
                Ok(n) => known += n,
                Err(error) => return Err(self.gone(error)),
            }
        }
        if u64::from_le_bytes(magic) != MAGIC {
            return Err(NoStart::Refused("what was started is no worker of this version of tinypl".to_owned()));
        }
        let heard = self.send_hello(hello, fds, deadline, quit).map_err(|error| self.gone(error))?;
        self.goes_on(heard)?;
        loop {
            match self.frames.next() {
                Err(garbage) => return Err(NoStart::Refused(format!("the worker sent what is no answer: {garbage}"))),
                Ok(None) => {}
                Ok(Some(frame)) => {
                    let text = String::from_utf8_lossy(self.frames.body(&frame));
                    return match frame.kind {
                        Kind::Ready => Ok(()),
                        Kind::Refused => Err(NoStart::Refused(format!("the worker refused: {text}"))),
                        kind => Err(NoStart::Refused(format!("the worker sent {kind:?} before it was ready"))),
                    };
                }
            }
            self.await_bytes(deadline, quit)?;
            match self.frames.read(&self.line.socket) {
                Ok(0) => return Err(self.gone(io::ErrorKind::UnexpectedEof.into())),
                Ok(_) => {}
                Err(error) => return Err(self.gone(error)),
            }
        }
    }

    fn await_bytes(&mut self, deadline: Instant, quit: BorrowedFd<'_>) -> Result<(), NoStart> {
        let heard = self.line.hear(quit, Some(deadline))?;
        self.goes_on(heard)
    }

    fn goes_on(&mut self, heard: Heard) -> Result<(), NoStart> {
        match heard {
            Heard::Socket => Ok(()),
            Heard::Death => Err(self.gone(io::ErrorKind::UnexpectedEof.into())),
            Heard::Quit => Err(NoStart::Quit),
            Heard::Nothing => Err(NoStart::Late),
        }
    }

    fn send_hello(&self, hello: &Hello, fds: &[OwnedFd], deadline: Instant, quit: BorrowedFd<'_>) -> io::Result<Heard> {
        if fds.len() > MOST_FDS {
            return Err(io::Error::other(format!(
                "{} ring buffers are too many for one context",
                hello.passengers.len()
            )));
        }
        let mut bytes = Vec::new();
        wire::push(&mut bytes, Kind::Hello, 0, |out| wire::encode(hello, out)).map_err(|error| match error {
            wire::PushError::Body(error) => io::Error::other(error),
            wire::PushError::TooLong(length) => io::Error::other(format!(
                "the context is {length} bytes long, over the limit of {}: put it into a file, or into shared memory",
                wire::LIMIT
            )),
        })?;
        let fds: Vec<BorrowedFd<'_>> = fds.iter().map(AsFd::as_fd).collect();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_FDS))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        if !control.push(SendAncillaryMessage::ScmRights(&fds)) {
            return Err(io::Error::other("the descriptors do not fit into a message"));
        }
        // nothing was sent before: there is room for some of it
        let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
        let sent = retry_on_intr(|| sendmsg(&self.line.socket, &[IoSlice::new(&bytes)], &mut control, flags))?;
        self.line.send_unless(&bytes[sent..], quit, Some(deadline))
    }

    /// What became of a worker that doesn't answer any more.
    fn gone(&mut self, error: io::Error) -> NoStart {
        match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => {
                self.kill().map_or_else(NoStart::System, NoStart::Died)
            }
            _ => NoStart::System(error),
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Tells it that nothing more comes.
    pub(crate) fn dismiss(&self) {
        let mut out = Vec::new();
        wire::push_short(&mut out, Kind::Stop, 0, &[]);
        // if it is gone, it has ended
        let _ = send_all(&self.line.socket, &out).and_then(|()| self.line.socket.shutdown(Shutdown::Write));
    }

    /// Waits until it has exited, at most until `deadline`; then it is killed. Meanwhile it is to be dismissed, which is
    /// tried again and again. What it still sends is dropped.
    pub(crate) fn end(mut self, deadline: Instant, dismiss: impl Fn(&Self) -> bool) -> io::Result<Ended> {
        let mut dismissed = false;
        while Instant::now() < deadline {
            dismissed = dismissed || dismiss(&self);
            let retry = Instant::now() + AGAIN;
            let until = if dismissed { deadline } else { deadline.min(retry) };
            let ended = match self.line.hear_of_end(until)? {
                // its end of the socket closes when it exits
                Heard::Socket => (&self.line.socket).read(&mut [0; 4096]).unwrap_or(0) == 0,
                heard => heard == Heard::Death,
            };
            if ended {
                self.kill()?;
                return Ok(Ended::Itself);
            }
        }
        self.kill()?;
        Ok(Ended::Killed)
    }

    /// Ends it at once, if it has not ended, and says how it did. Whoever writes to it gives up.
    pub(crate) fn kill(&mut self) -> io::Result<ExitStatus> {
        // one that is on its way out keeps its own status
        let status = self.child.kill().and_then(|()| self.child.wait());
        // somebody else may hold the other end, and never read
        let _ = self.line.socket.shutdown(Shutdown::Write);
        status
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.kill();
        self.tickets.clear();
    }
}

/// This same executable, started again.
fn spawn(socket: UnixStream) -> io::Result<Child> {
    // the file that this process runs, even if its path leads to another one by now
    let mut command = Command::new("/proc/self/exe");
    if let Some(name) = env::args_os().next() {
        command.arg0(name);
    }
    command.env(VARIABLE, "1").stdin(Stdio::from(OwnedFd::from(socket))).spawn()
}

/// Of what was waited for, what has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    Socket,
    /// The worker is dead, and there is nothing more to read.
    Death,
    Quit,
    Nothing,
}

impl Line {
    fn to(worker: &Child, socket: UnixStream) -> Self {
        // it was not waited for: the number is its own
        Self { socket, death: pidfd_open(Pid::from_child(worker), PidfdFlags::empty()).ok() }
    }

    /// The socket, for these events, and the worker's death.
    fn polled(&self, events: PollFlags) -> [PollFd<'_>; 2] {
        let hangup = || PollFd::new(&self.socket, PollFlags::empty());
        [
            PollFd::new(&self.socket, events),
            self.death.as_ref().map_or_else(hangup, |death| PollFd::new(death, PollFlags::IN)),
        ]
    }

    /// Waits until the worker has sent something, or is dead, or there is something to read at `quit`; at most until `deadline`.
    pub(crate) fn hear(&self, quit: BorrowedFd<'_>, deadline: Option<Instant>) -> io::Result<Heard> {
        let [socket, death] = self.polled(PollFlags::IN);
        let mut fds = [socket, death, PollFd::from_borrowed_fd(quit, PollFlags::IN)];
        await_any(&mut fds, deadline)?;
        self.which(&fds)
    }

    /// As [`hear`](Self::hear), when the stage has ended.
    fn hear_of_end(&self, deadline: Instant) -> io::Result<Heard> {
        let mut fds = self.polled(PollFlags::IN);
        await_any(&mut fds, Some(deadline))?;
        self.which(&fds)
    }

    fn which(&self, fds: &[PollFd<'_>]) -> io::Result<Heard> {
        let first = fds.iter().position(|fd| !fd.revents().is_empty());
        match first {
            None => Ok(Heard::Nothing),
            Some(0) => Ok(Heard::Socket),
            // what it sent at the last moment goes first
            Some(1) if await_any(&mut self.polled(PollFlags::IN)[..1], Some(Instant::now()))? => Ok(Heard::Socket),
            Some(1) => Ok(Heard::Death),
            Some(_) => Ok(Heard::Quit),
        }
    }

    /// What a dead worker has sent and nobody has read: 0 after the last of it, whoever holds its end of the socket.
    pub(crate) fn read_rest(&self, frames: &mut Frames) -> usize {
        // nothing more is sent to it, so nobody else minds
        self.socket.set_nonblocking(true).and_then(|()| frames.read(&self.socket)).unwrap_or(0)
    }

    /// Writes all of it, as long as the worker lives and reads: gives up when it dies, when there is something to read at
    /// `quit`, or at `deadline`. Then a part of it was sent.
    ///
    /// # Errors
    /// When the worker has closed its end.
    pub(crate) fn send_unless(
        &self,
        mut bytes: &[u8],
        quit: BorrowedFd<'_>,
        deadline: Option<Instant>,
    ) -> io::Result<Heard> {
        while !bytes.is_empty() {
            match send(&self.socket, bytes, SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
                Ok(sent) => bytes = &bytes[sent..],
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    let [socket, death] = self.polled(PollFlags::OUT);
                    let mut fds = [death, PollFd::from_borrowed_fd(quit, PollFlags::IN), socket];
                    if !await_any(&mut fds, deadline)? {
                        return Ok(Heard::Nothing);
                    }
                    if !fds[0].revents().is_empty() {
                        return Ok(Heard::Death);
                    }
                    if !fds[1].revents().is_empty() {
                        return Ok(Heard::Quit);
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Heard::Socket)
    }
}

fn await_any(fds: &mut [PollFd<'_>], deadline: Option<Instant>) -> io::Result<bool> {
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        // rounded up: a poll that ends a moment too early would be made again and again
        let left = left.map(|left| left + Duration::from_micros(1));
        let left = left.and_then(|left| Timespec::try_from(left).ok());
        match poll(fds, left.as_ref()) {
            Ok(n) => return Ok(n > 0),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Writes all of it. Who is gone raises no signal, whatever the program does with SIGPIPE.
///
/// # Errors
/// When the other end is gone.
pub(crate) fn send_all(socket: &UnixStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let sent = retry_on_intr(|| send(socket, bytes, SendFlags::NOSIGNAL))?;
        bytes = &bytes[sent..];
    }
    Ok(())
}

/// How a process ended, for people.
pub(crate) fn describe(status: ExitStatus) -> String {
    let Some(signal) = status.signal() else {
        return match status.code() {
            Some(entry::BROKEN) => "it panicked outside of the function".to_owned(),
            Some(code) => {
                format!("it exited with status {code}, which is for the pipeline to do, not for the function")
            }
            None => status.to_string(),
        };
    };
    let hint = match Signal::from_named_raw(signal) {
        Some(Signal::KILL) => ": killed by somebody, or by the system for want of memory (see `dmesg`)",
        Some(Signal::SEGV) => ": a bad access to memory in unsafe or foreign code, or a stack overflow",
        Some(Signal::ABORT) => ": it aborted; a stack overflow, a panic while panicking, or a panic where panics abort",
        Some(Signal::BUS) => ": a bad access to memory, or to a mapped file that was cut",
        Some(Signal::ILL | Signal::TRAP) => ": an instruction that this processor refuses",
        Some(Signal::TERM) => ": somebody asked it to end",
        _ => "",
    };
    format!("it was ended by {status}{hint}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crew::task::Map;
    use std::io::Write;
    use std::thread;

    const SOON: Duration = Duration::from_millis(50);
    const LATE: Duration = Duration::from_secs(600);

    /// A worker that is played by the test: its end of the socket, and a process that only waits to be killed.
    fn played() -> (Worker, UnixStream) {
        let (socket, theirs) = UnixStream::pair().expect("a pair of sockets");
        let child = Command::new("sleep").arg("600").spawn().expect("`sleep` is a program everywhere");
        let page = Page::new(Region::create(page::SIZE, Backend::Memfd).expect("a page of memory"));
        let line = Arc::new(Line::to(&child, socket));
        (
            Worker {
                child,
                line,
                page: Arc::new(page),
                frames: Frames::default(),
                seats: Arc::new([]),
                tickets: Vec::new(),
            },
            theirs,
        )
    }

    fn hello(context: usize) -> Hello {
        Hello {
            executable: Executable::own().expect("a file"),
            entry: 0,
            functions: vec![0],
            task: type_name::<Map<u8, u8>>().to_owned(),
            context: vec![7; context],
            passengers: Vec::new(),
        }
    }

    /// Greets what `play` plays, with a context so long.
    fn greet(
        context: usize,
        limit: Duration,
        play: impl FnOnce(UnixStream, rustix::process::Pid) -> Option<UnixStream> + Send,
    ) -> Result<(), NoStart> {
        let (mut worker, theirs) = played();
        let (read, _write) = rustix::pipe::pipe().expect("a pipe");
        let pid = rustix::process::Pid::from_child(&worker.child);
        let fds = vec![worker.page_fd()];
        thread::scope(|scope| {
            let player = scope.spawn(move || play(theirs, pid));
            let result = worker.greet(&hello(context), &fds, Instant::now() + limit, read.as_fd());
            // it keeps its end until the parent has made up its mind
            drop(player.join().expect("the player"));
            result
        })
    }

    impl Worker {
        fn page_fd(&self) -> OwnedFd {
            self.line.socket.try_clone().expect("a descriptor").into()
        }
    }

    fn say(socket: &mut UnixStream, bytes: &[u8]) {
        socket.write_all(bytes).expect("somebody reads");
    }

    fn framed(kind: Kind, body: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        wire::push_short(&mut out, kind, 0, body);
        out
    }

    #[track_caller]
    fn assert_refused(result: Result<(), NoStart>, says: &str) {
        match result {
            Err(NoStart::Refused(text)) => assert!(text.contains(says), "{says:?} is not in {text:?}"),
            other => panic!("not refused: {other:?}"),
        }
    }

    #[test]
    fn one_that_is_ready() {
        let result = greet(0, LATE, |mut socket, _| {
            say(&mut socket, &MAGIC.to_le_bytes());
            say(&mut socket, &framed(Kind::Ready, &[]));
            Some(socket)
        });
        assert!(result.is_ok(), "{result:?}");
    }

    #[test]
    fn one_that_is_no_worker() {
        for first in [*b"#!/bin/s", [0; 8], [255; 8], MAGIC.to_be_bytes(), (MAGIC + 1).to_le_bytes()] {
            let result = greet(0, LATE, |mut socket, _| {
                say(&mut socket, &first);
                Some(socket)
            });
            assert_refused(result, "no worker of this version of tinypl");
        }
    }

    #[test]
    fn one_that_says_what_is_no_answer() {
        let cases: [(Vec<u8>, &str); 5] = [
            (vec![255; 20], "over the limit"),
            (vec![0; 20], "too short"),
            ([&100_u32.to_le_bytes()[..], &[77; 9]].concat(), "no frame of kind 77"),
            (framed(Kind::Done, b"result"), "Done before it was ready"),
            (framed(Kind::Refused, b"I am somebody else"), "the worker refused: I am somebody else"),
        ];
        for (bytes, says) in cases {
            let result = greet(0, LATE, |mut socket, _| {
                say(&mut socket, &MAGIC.to_le_bytes());
                say(&mut socket, &bytes);
                Some(socket)
            });
            assert_refused(result, says);
        }
    }

    /// It closes its end, and dies, at each step.
    #[test]
    fn one_that_dies() {
        for step in 0..3 {
            for context in [0, 1 << 20] {
                let result = greet(context, LATE, |mut socket, pid| {
                    if step > 0 {
                        say(&mut socket, &MAGIC.to_le_bytes()[..4 * step]);
                    }
                    // as one that was killed: the status is there before its end is closed
                    rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it lives");
                    None
                });
                let Err(NoStart::Died(status)) = result else { panic!("{step}, {context}: {result:?}") };
                assert!(status.signal().is_some(), "{status}");
            }
        }
    }

    /// A process that it forked holds its end of the socket, and will never read or write there.
    #[test]
    fn one_whose_end_outlives_it() {
        for step in 0..3 {
            for context in [0, 1 << 20] {
                let result = greet(context, LATE, |mut socket, pid| {
                    if step > 0 {
                        say(&mut socket, &MAGIC.to_le_bytes()[..4 * step]);
                    }
                    rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it lives");
                    Some(socket)
                });
                assert!(matches!(result, Err(NoStart::Died(_))), "{step}, {context}: {result:?}");
            }
        }
        let die = |worker: &Worker| {
            let pid = Pid::from_child(&worker.child);
            rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it lives");
        };
        // what it said before it died goes first, and once
        let (mut worker, mut theirs) = played();
        let (quit, _write) = rustix::pipe::pipe().expect("a pipe");
        say(&mut theirs, &framed(Kind::Done, b"result"));
        die(&worker);
        assert!(matches!(worker.line.hear(quit.as_fd(), None), Ok(Heard::Socket)));
        assert!(worker.line.read_rest(&mut worker.frames) > 0 && worker.frames.has_one());
        assert_eq!(worker.line.read_rest(&mut worker.frames), 0);
        assert!(matches!(worker.line.hear(quit.as_fd(), None), Ok(Heard::Death)));
        let long = vec![0; 8 << 20];
        assert!(matches!(worker.line.send_unless(&long, quit.as_fd(), None), Ok(Heard::Death)));
        assert!(matches!(worker.end(Instant::now() + LATE, |_| true), Ok(Ended::Itself)));
        drop(theirs);
        // a writer that waits gives up
        let (mut worker, theirs) = played();
        let line = worker.line.clone();
        let writer = thread::spawn(move || send_all(&line.socket, &vec![0; 8 << 20]));
        while send(&worker.line.socket, &[0], SendFlags::NOSIGNAL | SendFlags::DONTWAIT).is_ok() {
            thread::yield_now();
        }
        worker.kill().expect("it lives");
        assert!(writer.join().expect("the writer").is_err());
        drop(theirs);
    }

    /// However far it came: `start_timeout` counts, with a context that does not fit into the socket, too.
    #[test]
    fn one_that_is_stopped() {
        for step in 0..3 {
            for context in [0, 1 << 20] {
                let result = greet(context, SOON, |mut socket, _| {
                    if step > 0 {
                        say(&mut socket, &MAGIC.to_le_bytes()[..4 * step]);
                    }
                    Some(socket)
                });
                assert!(matches!(result, Err(NoStart::Late)), "{step}, {context}: {result:?}");
            }
        }
    }

    /// The stage ends while it starts.
    #[test]
    fn one_that_is_not_waited_for() {
        for step in 0..3 {
            for context in [0, 1 << 20] {
                let (mut worker, mut theirs) = played();
                let (read, write) = rustix::pipe::pipe().expect("a pipe");
                let fds = vec![worker.page_fd()];
                if step > 0 {
                    say(&mut theirs, &MAGIC.to_le_bytes()[..4 * step]);
                }
                let result = thread::scope(|scope| {
                    scope.spawn(move || {
                        thread::yield_now();
                        drop(write);
                    });
                    worker.greet(&hello(context), &fds, Instant::now() + LATE, read.as_fd())
                });
                assert!(matches!(result, Err(NoStart::Quit)), "{step}, {context}: {result:?}");
            }
        }
    }

    /// What it sends after the stop is nobody's, and does not keep it alive.
    #[test]
    fn one_that_does_not_end() {
        let (worker, mut theirs) = played();
        say(&mut theirs, &[1; 10_000]);
        let pid = worker.pid();
        assert!(matches!(worker.end(Instant::now() + SOON, |_| true), Ok(Ended::Killed)));
        assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
        let (worker, theirs) = played();
        drop(theirs);
        assert!(matches!(worker.end(Instant::now() + LATE, |_| true), Ok(Ended::Itself)));
    }

    #[test]
    fn how_processes_end() {
        let says = |raw: i32| describe(ExitStatus::from_raw(raw));
        assert!(says(9).contains("SIGKILL") && says(9).contains("want of memory"));
        assert!(says(11).contains("SIGSEGV") && says(11).contains("stack overflow"));
        assert!(says(6).contains("SIGABRT"));
        assert!(says(3 << 8).contains("status 3"));
        assert!(says(0).contains("status 0"));
        assert!(says(entry::BROKEN << 8).contains("outside of the function"));
    }
}
