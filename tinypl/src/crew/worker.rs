//! The worker's side: it takes items from its socket and sends results back, until it is told to stop or its parent is gone.
//!
//! One thread runs `f`, and reads and writes between items. The other one only watches whether the parent lives, whatever `f`
//! does; so nobody is left behind, and an item passes no more threads than it must.
use super::entry::{self, Executable, MAGIC};
use super::luggage;
use super::page::{Page, Turn};
use super::start::send_all;
use super::task::{Hello, Task};
use super::wakeful::Wakeful;
use super::why::{DECODING, decode, decode_once};
use super::wire::{self, Frames, Garbage, Kind, PushError};
use crate::error::message_of;
use crate::shm::{self, Region};
use parking_lot::Mutex;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::net::sockopt::socket_peercred;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use rustix::process::{PidfdFlags, getppid, pidfd_open};
use std::any::type_name;
use std::io::{self, IoSliceMut, Write};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// As the main thread of a program has; a function is to find no less than without processes.
const STACK: usize = 8 << 20;
/// How long results wait for company: as long as the items that come together take, long against the 20 to 30 µs of both cores'
/// time that a message and its wake-ups cost. A parent that waits for nothing else gets them sooner (`Page::listen`).
const COMPANY: Duration = Duration::from_millis(1);
/// The exit status of a worker whose parent is gone.
const ORPHAN: i32 = 113;
/// The most descriptors that one message carries, on Linux.
pub(crate) const MOST_FDS: usize = 253;

/// What a worker has been given to begin with.
#[derive(Debug)]
pub(crate) struct Input {
    socket: UnixStream,
    hello: Hello,
    page: Page,
    fds: Vec<Vec<OwnedFd>>,
    frames: Frames,
}

/// Runs as the worker at the other end of `socket`.
///
/// # Errors
/// When the parent can't be talked to.
pub(crate) fn serve(socket: UnixStream) -> io::Result<()> {
    send_all(&socket, &MAGIC.to_le_bytes())?;
    let (mut frames, mut fds) = receive_hello(&socket)?;
    let Some(frame) = frames.next().map_err(io::Error::other)? else { return Ok(()) };
    if frame.kind != Kind::Hello {
        return Err(io::Error::other(Garbage::OutOfPlace(frame.kind)));
    }
    let hello: Hello = postcard::from_bytes(frames.body(&frame)).map_err(io::Error::other)?;
    let own = Executable::own()?;
    if hello.executable != own {
        let what = format!("it runs another executable: {own:?}, and its parent {:?}", hello.executable);
        return refuse(&socket, &what);
    }
    if fds.len() != 1 + hello.passengers.iter().sum::<usize>() {
        return refuse(&socket, &format!("it received {} descriptors, and not as many as were sent", fds.len()));
    }
    let page = Page::new(Region::open(fds.remove(0), super::page::SIZE)?);
    let fds = hello.passengers.iter().map(|n| fds.drain(..n).collect()).collect();
    // SAFETY: the parent runs this same executable, and is ours: nobody else has the other end
    let enter = unsafe { entry::entry(hello.entry) };
    enter(Input { socket, hello, page, fds, frames })
}

fn refuse(socket: &UnixStream, why: &str) -> io::Result<()> {
    let mut out = Vec::new();
    wire::push_short(&mut out, Kind::Refused, 0, why.as_bytes());
    send_all(socket, &out)
}

/// Reads the first frame, and the descriptors that come with its first byte.
fn receive_hello(socket: &UnixStream) -> io::Result<(Frames, Vec<OwnedFd>)> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_FDS))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut bytes = vec![0; 64 << 10];
    let received = recvmsg(socket, &mut [IoSliceMut::new(&mut bytes)], &mut control, RecvFlags::CMSG_CLOEXEC)?;
    bytes.truncate(received.bytes);
    let mut fds = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = message {
            fds.extend(rights);
        }
    }
    let mut frames = Frames::of(bytes);
    while !frames.has_one() && frames.read(socket)? > 0 {}
    Ok((frames, fds))
}

/// The entry for a task: here its types are known.
pub(crate) fn enter<T: Task>(input: Input) -> io::Result<()> {
    let Input { socket, hello, page, fds, frames } = input;
    if hello.task != type_name::<T>() {
        return refuse(&socket, &format!("it was to run {}, and found {}", hello.task, type_name::<T>()));
    }
    // SAFETY: sent with the task's own type, by this same executable
    let task = unsafe { T::at(&hello.functions) };
    let Some(task) = task else { return refuse(&socket, "the functions are missing") };
    let watched = socket.try_clone()?;
    let run = || {
        let context = luggage::unpacking(fds, || decode_once(&hello.context));
        match context {
            Ok(context) => {
                let outlet = Arc::new(Outlet { socket, page, told: Mutex::new(None) });
                Runner { task, context, state: None, outlet, out: Vec::new(), since: Instant::now() }.run(frames)
            }
            Err(error) => {
                let context = type_name::<T::Context>();
                refuse(&socket, &format!("its context, of type {context}, could not be decoded: {error}{DECODING}"))
            }
        }
    };
    let end = || {
        let status = match catch_unwind(AssertUnwindSafe(run)) {
            Ok(Ok(())) => 0,
            // the parent doesn't listen any more
            Ok(Err(_)) => ORPHAN,
            Err(_) => entry::BROKEN,
        };
        std::process::exit(status)
    };
    thread::scope(|scope| {
        thread::Builder::new().name("tinypl-worker".to_owned()).stack_size(STACK).spawn_scoped(scope, end)?;
        watch(&watched)
    })
}

/// Ends this process when the parent is gone, whatever the other threads do. This one does nothing else.
fn watch(socket: &UnixStream) -> io::Result<()> {
    let parent = parent_of(socket)?;
    let mut events = PollFlags::RDHUP;
    loop {
        let hangup = PollFd::new(socket, PollFlags::empty());
        let death = parent.as_ref().map_or(hangup, |parent| PollFd::new(parent, PollFlags::IN));
        let mut fds = [PollFd::new(socket, events), death];
        match poll(&mut fds, None) {
            // it has said all that it had to say, and still listens: nobody will make room for who waits for it
            Ok(_) if !fds[0].revents().intersects(PollFlags::HUP | PollFlags::ERR) && fds[1].revents().is_empty() => {
                shm::stop_waiting();
                events = PollFlags::empty();
            }
            // no destructors, and nothing else of the program's: any lock may be held
            Ok(_) => entry::leave(ORPHAN),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// What tells of the parent's death, even if somebody else holds its end of the socket: a process that it forked, say. `None` where
/// the system has no such descriptor (Linux before 5.3), or has none left.
fn parent_of(socket: &UnixStream) -> io::Result<Option<OwnedFd>> {
    let parent = socket_peercred(socket)?.pid;
    let death = pidfd_open(parent, PidfdFlags::empty()).ok();
    // as long as it is the parent, the number is its own
    if getppid() == Some(parent) { Ok(death) } else { entry::leave(ORPHAN) }
}

/// The way to the parent.
struct Outlet {
    socket: UnixStream,
    page: Page,
    /// Held to send something whole. Which results the parent was told to look at.
    told: Mutex<Option<(u64, u64)>>,
}

/// Of a worker that is ready.
static OUTLET: Mutex<Option<Arc<Outlet>>> = Mutex::new(None);

/// In a worker: this thread is going to wait, and maybe for what becomes of results that were finished and wait for company.
/// Nobody else would send them, while `f` runs.
pub(crate) fn waits() {
    let outlet = OUTLET.lock().clone();
    if let Some(outlet) = outlet {
        outlet.tell();
    }
}

impl Outlet {
    /// Sends what the page shows.
    fn send(&self, results: &[u8]) -> io::Result<()> {
        let _whole = self.told.lock();
        send_all(&self.socket, results)?;
        self.page.sent();
        Ok(())
    }

    /// Has the parent look at the page, once for the same results.
    fn tell(&self) {
        let mut told = self.told.lock();
        let unsent = self.page.unsent();
        if unsent.is_some() && *told != unsent {
            *told = unsent;
            let mut out = Vec::new();
            wire::push_short(&mut out, Kind::Waits, 0, &[]);
            // if it is gone, this process goes, too
            let _ = send_all(&self.socket, &out);
        }
    }
}

/// Runs items.
struct Runner<T: Task> {
    task: T,
    context: T::Context,
    state: Option<T::State>,
    outlet: Arc<Outlet>,
    /// Results that wait for company; the page shows them, too.
    out: Vec<u8>,
    /// Since when they wait, at the earliest.
    since: Instant,
}

impl<T: Task> Runner<T> {
    fn run(mut self, mut frames: Frames) -> io::Result<()> {
        let mut ready = Vec::new();
        wire::push_short(&mut ready, Kind::Ready, 0, &[]);
        send_all(&self.outlet.socket, &ready)?;
        *OUTLET.lock() = Some(self.outlet.clone());
        let mut recalled = false;
        let mut wakeful = Wakeful::default();
        loop {
            self.since = Instant::now();
            let mut began = self.since;
            while let Some(frame) = frames.next().map_err(io::Error::other)? {
                match frame.kind {
                    Kind::Item if recalled => {}
                    Kind::Item => match self.outlet.page.start() {
                        Turn::Drop => recalled = true,
                        turn => {
                            if turn == Turn::SendAndRun && !self.out.is_empty() {
                                self.outlet.page.wake();
                                began = self.send_before()?;
                            }
                            self.item(frame.number, frames.body(&frame))?;
                            began = self.item_took(began)?;
                        }
                    },
                    Kind::Resume => {
                        self.outlet.page.resume(frame.number);
                        recalled = false;
                    }
                    Kind::Stop => return self.send(),
                    other => return Err(io::Error::other(Garbage::OutOfPlace(other))),
                }
            }
            self.send()?;
            let socket = &self.outlet.socket;
            if wakeful.wait(socket, || frames.read(socket))? == 0 {
                return Ok(());
            }
        }
    }

    /// Notes how long an item took, and sends results that have waited. When the next item begins.
    fn item_took(&mut self, began: Instant) -> io::Result<Instant> {
        let now = Instant::now();
        self.outlet.page.took((now - began).as_nanos() as u64);
        if now - self.since < COMPANY {
            return Ok(now);
        }
        self.send_before()
    }

    /// Sends results before the next item. When that begins.
    fn send_before(&mut self) -> io::Result<Instant> {
        self.send()?;
        self.since = Instant::now();
        Ok(self.since)
    }

    /// One item, from its bytes to those of its result.
    fn item(&mut self, number: u64, body: &[u8]) -> io::Result<()> {
        let start = self.out.len();
        let (task, context, state) = (self.task, &self.context, &mut self.state);
        let of = type_name::<T::In>();
        let mut decoding = true;
        let result = catch_unwind(AssertUnwindSafe(|| {
            let item = decode(body).map_err(|error| {
                format!("the item, of type {of}, could not be decoded in the worker: {error}{DECODING}")
            })?;
            decoding = false;
            Ok::<_, String>(task.run(context, state, item))
        }));
        match result {
            Ok(Ok(reply)) => self.reply(number, &reply),
            Ok(Err(sentence)) => self.say(Kind::Failed, number, &sentence),
            Err(payload) => {
                let why = message_of(&*payload);
                if decoding {
                    let why = why.unwrap_or("a payload that is not text");
                    let what = format!("the item, of type {of}, panicked while it was decoded in the worker: {why}");
                    self.say(Kind::Failed, number, &what);
                } else {
                    // it may be half changed
                    self.state = None;
                    self.say(Kind::Panicked, number, why.unwrap_or("(a payload that is not text)"));
                }
                std::mem::forget(payload); // it may panic again when it is dropped
            }
        }
        let _ = io::stdout().flush();
        if self.outlet.page.publish(&self.out[start..]) {
            return Ok(());
        }
        // what is too large for the page is sent at once
        self.send()
    }

    fn reply(&mut self, number: u64, reply: &T::Reply) {
        let start = self.out.len();
        // encoding is the user's code, too
        let pushed = catch_unwind(AssertUnwindSafe(|| {
            shm::sending(|| wire::push(&mut self.out, Kind::Done, number, |out| wire::encode(reply, out)))
        }));
        let of = type_name::<T::Reply>();
        let sentence = match pushed {
            Ok(Ok(())) => return,
            Ok(Err(PushError::Body(error))) => {
                format!("the result, of type {of}, could not be encoded in the worker: {error}")
            }
            Ok(Err(PushError::TooLong(length))) => wire::too_long("result", type_name::<T::Reply>(), length),
            Err(payload) => {
                self.out.truncate(start);
                let why = message_of(&*payload).unwrap_or("a payload that is not text");
                format!("the result, of type {of}, panicked while it was encoded in the worker: {why}")
            }
        };
        self.say(Kind::Failed, number, &sentence);
    }

    fn say(&mut self, kind: Kind, number: u64, text: &str) {
        wire::push_short(&mut self.out, kind, number, text.as_bytes());
    }

    fn send(&mut self) -> io::Result<()> {
        if self.out.is_empty() {
            return Ok(());
        }
        self.outlet.send(&self.out)?;
        self.out.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crew::task::Map;
    use crate::shm::Backend;
    use crate::{Pipeline, process, source};
    use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
    use serde::{Deserialize, Serialize};
    use std::io::{IoSlice, Read};
    use std::net::Shutdown;
    use std::os::fd::{AsFd, BorrowedFd};

    fn hello() -> Hello {
        Hello {
            executable: Executable::own().expect("a file"),
            entry: 0,
            functions: vec![0],
            task: type_name::<Map<u8, u8>>().to_owned(),
            context: Vec::new(),
            passengers: Vec::new(),
        }
    }

    fn framed(kind: Kind, body: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        wire::push_short(&mut out, kind, 0, body);
        out
    }

    /// Serves a parent that sends this and nothing more: what `serve` says, and what the parent reads after the magic.
    fn serve_one(bytes: &[u8], fds: &[BorrowedFd<'_>]) -> (io::Result<()>, Vec<u8>) {
        let (mut parent, socket) = UnixStream::pair().expect("a pair of sockets");
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_FDS))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        if !fds.is_empty() {
            assert!(control.push(SendAncillaryMessage::ScmRights(fds)));
        }
        if !bytes.is_empty() {
            let sent = sendmsg(&parent, &[IoSlice::new(bytes)], &mut control, SendFlags::NOSIGNAL).expect("it fits");
            assert_eq!(sent, bytes.len());
        }
        parent.shutdown(Shutdown::Write).expect("an end");
        let result = serve(socket);
        let mut said = Vec::new();
        parent.read_to_end(&mut said).expect("the worker's end is closed");
        assert_eq!(said[..8], MAGIC.to_le_bytes());
        (result, said[8..].to_vec())
    }

    fn refusal(said: Vec<u8>) -> String {
        let mut frames = Frames::of(said);
        let frame = frames.next().expect("a frame").expect("a whole one");
        assert_eq!(frame.kind, Kind::Refused);
        String::from_utf8(frames.body(&frame).to_vec()).expect("text")
    }

    #[test]
    fn garbage_is_no_parent() {
        let cases: [(Vec<u8>, &str); 5] = [
            (vec![255; 100], "over the limit"),
            (vec![0; 100], "too short"),
            ([&100_u32.to_le_bytes()[..], &[77; 100]].concat(), "no frame of kind 77"),
            (framed(Kind::Item, b"an item"), "Item is out of place"),
            (framed(Kind::Hello, &[255; 40]), ""),
        ];
        for (bytes, says) in cases {
            let (result, said) = serve_one(&bytes, &[]);
            let error = result.expect_err("garbage").to_string();
            assert!(error.contains(says), "{says:?} is not in {error:?}");
            assert_eq!(said, b"", "nothing is answered");
        }
    }

    #[test]
    fn a_parent_that_goes_away_is_no_error() {
        for bytes in [vec![], vec![100, 0, 0], framed(Kind::Hello, &[1; 100])[..50].to_vec()] {
            let (result, said) = serve_one(&bytes, &[]);
            assert!(result.is_ok(), "{result:?}");
            assert_eq!(said, b"");
        }
    }

    #[test]
    fn another_executable_is_refused() {
        let other: Executable = postcard::from_bytes(&[1, 2, 3, 4, 5]).expect("five numbers");
        let hello = Hello { executable: other, ..hello() };
        let bytes = framed(Kind::Hello, &postcard::to_stdvec(&hello).expect("it is encoded"));
        let (result, said) = serve_one(&bytes, &[]);
        assert!(result.is_ok(), "{result:?}");
        assert!(refusal(said).contains("another executable"));
    }

    #[test]
    fn descriptors_that_got_lost_are_missed() {
        let region = Region::create(super::super::page::SIZE, Backend::Memfd).expect("a page of memory");
        let bytes = |passengers| {
            let hello = Hello { passengers, ..hello() };
            framed(Kind::Hello, &postcard::to_stdvec(&hello).expect("it is encoded"))
        };
        for (passengers, fds) in [(vec![], 0), (vec![1], 1), (vec![2, 3], 5), (vec![], 2)] {
            let fds = vec![region.fd(); fds];
            let (result, said) = serve_one(&bytes(passengers), &fds);
            assert!(result.is_ok(), "{result:?}");
            assert!(refusal(said).contains(&format!("received {} descriptors", fds.len())));
        }
    }

    /// A page that is too short would kill who touches what it lacks.
    #[test]
    fn a_page_that_is_too_short_is_an_error() {
        let region = Region::create(100, Backend::Memfd).expect("memory");
        let bytes = framed(Kind::Hello, &postcard::to_stdvec(&hello()).expect("it is encoded"));
        let (result, said) = serve_one(&bytes, &[region.fd().as_fd()]);
        assert!(result.expect_err("an error").to_string().contains("were announced"));
        assert_eq!(said, b"");
    }

    /// What `enter` is called with beside the parent's hello.
    fn input(socket: UnixStream, hello: Hello) -> Input {
        let page = Region::create(super::super::page::SIZE, Backend::Memfd).expect("a page of memory");
        Input { socket, hello, page: Page::new(page), fds: Vec::new(), frames: Frames::default() }
    }

    #[test]
    fn another_task_is_refused() {
        let cases = [
            (Hello { task: "something else".to_owned(), ..hello() }, "it was to run something else"),
            (Hello { functions: vec![], ..hello() }, "the functions are missing"),
            (Hello { functions: vec![1, 2], ..hello() }, "the functions are missing"),
        ];
        for (hello, says) in cases {
            let (mut parent, socket) = UnixStream::pair().expect("a pair of sockets");
            enter::<Map<u8, u8>>(input(socket, hello)).expect("it is said to the parent");
            let mut said = Vec::new();
            parent.read_to_end(&mut said).expect("the worker's end is closed");
            assert!(refusal(said).contains(says));
        }
    }

    /// Bytes that serde takes as such.
    #[derive(Serialize, Deserialize)]
    struct Text(String);

    impl Text {
        fn new(length: usize) -> Self {
            Self("x".repeat(length))
        }
    }

    /// This executable can be a worker, too. Just below the limit all goes well.
    #[test]
    fn what_is_too_long_to_travel() {
        let short = wire::LIMIT - 1000;
        let assert_says = |result: Result<Vec<Text>, crate::Error>, item: Option<u64>, says: &str| {
            let error = result.map(drop).expect_err("it is too long");
            assert!(error.message().contains(says) && error.message().contains("over the limit of"), "{error}");
            assert_eq!((error.item(), error.location().map(|at| at.file())), (item, Some(file!())), "{error}");
        };
        for (length, fails) in [(short, false), (wire::LIMIT, true)] {
            let items = (0..3).map(|n| Text::new(if n == 1 { length } else { 1 })).collect::<Vec<_>>();
            let result = Pipeline::new(process::map(source(items), |text| text).workers(1)).try_collect();
            if fails {
                assert_says(result, Some(1), "the item, of type ");
            } else {
                assert_eq!(result.expect("it fits").len(), 3);
            }
            let lengths = vec![1, length, 1];
            let result = Pipeline::new(process::map(source(lengths), Text::new).workers(1)).try_collect();
            if fails {
                assert_says(result, Some(1), "the result, of type ");
            } else {
                assert_eq!(result.expect("it fits").len(), 3);
            }
            let stage = process::map_with(source([1]), Text::new(length), |text, n| Text::new(n + text.0.len()));
            let result = Pipeline::new(stage.workers(1)).try_collect();
            if fails {
                assert_says(result, None, "the context is ");
            } else {
                assert_eq!(result.expect("it fits")[0].0.len(), short + 1);
            }
        }
    }
}
