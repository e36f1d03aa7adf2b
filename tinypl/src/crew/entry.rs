//! How a worker begins: it is this same executable, started again, and a constructor in it takes over before `main`.
//!
//! Functions travel as offsets from that constructor: they are the same in both processes, wherever the executable was
//! loaded. Everything here runs before `main`, or stands for it.
use super::worker::{self, Input};
use serde::{Deserialize, Serialize};
use std::ffi::{CStr, c_char, c_int, c_void};
use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering::*};
use std::{env, fs, process, ptr};

/// Makes a process a worker. It names the protocol's version.
pub(crate) const VARIABLE: &str = concat!("TINYPL_WORKER_", env!("CARGO_PKG_VERSION"));
const C_VARIABLE: &CStr =
    match CStr::from_bytes_with_nul(concat!("TINYPL_WORKER_", env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(name) => name,
        Err(_) => panic!("it ends in its only nul"),
    };

/// A worker says this first.
pub(crate) const MAGIC: u64 = 0x7f74_696e_7970_6c01;

/// A worker's exit status when it could not begin.
const NO_WORKER: i32 = 111;
/// When it panicked outside of `f`.
pub(crate) const BROKEN: i32 = 112;

type Constructor = extern "C" fn(c_int, *const *const c_char, *const *const c_char);

#[used]
// SAFETY: the section holds pointers to functions of this type, which the C runtime calls before `main`
#[unsafe(link_section = ".init_array")]
static CONSTRUCTOR: Constructor = constructed;
static CONSTRUCTED: AtomicBool = AtomicBool::new(false);
static IN_WORKER: AtomicBool = AtomicBool::new(false);

unsafe extern "C" {
    static __init_array_start: [Option<Constructor>; 0];
    static __init_array_end: [Option<Constructor>; 0];
}

/// Called by the C runtime in every process of this executable. In all but workers it costs one look at the environment.
extern "C" fn constructed(argc: c_int, argv: *const *const c_char, envp: *const *const c_char) {
    CONSTRUCTED.store(true, Relaxed);
    if is_worker() {
        construct_the_rest(argc, argv, envp);
        run();
    }
}

/// Whether this process was started as a worker. Never where the executable runs with more rights than who started it; and a
/// shared library with a tinypl of its own, which may be loaded before the executable's is asked, is not meant.
fn is_worker() -> bool {
    // SAFETY: a C string; no other thread exists yet that could change the environment
    let set = unsafe { libc::getenv(C_VARIABLE.as_ptr()) };
    !set.is_null() && !is_secure() && in_executable(anchor())
}

/// Whether the executable runs with more rights than who started it.
fn is_secure() -> bool {
    // SAFETY: it has no preconditions
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

/// Runs the constructors that the linker put after ours: registries and statics that functions may rely on.
fn construct_the_rest(argc: c_int, argv: *const *const c_char, envp: *const *const c_char) {
    let mut next = (&raw const CONSTRUCTOR).cast::<Option<Constructor>>();
    let end = (&raw const __init_array_end).cast::<Option<Constructor>>();
    if next < (&raw const __init_array_start).cast() {
        return; // we are in a shared library, these bounds are the executable's
    }
    loop {
        next = next.wrapping_add(1);
        if next >= end {
            return;
        }
        // SAFETY: within the array, which the linker filled with constructors
        if let Some(constructor) = unsafe { next.read() }
            && constructor as usize != usize::MAX
        {
            constructor(argc, argv, envp);
        }
    }
}

/// For programs in which constructors don't run: call it at the start of `main`. In a worker it doesn't return; elsewhere it
/// does nothing, and where constructors run it is not needed.
///
/// ```
/// tinypl::init(); // a worker process goes no further
/// ```
pub fn init() {
    CONSTRUCTED.store(true, Relaxed);
    if is_worker() {
        run();
    }
}

/// Whether this process is a worker that has begun.
#[cfg(any(feature = "progress", feature = "watch"))]
pub(crate) fn in_worker() -> bool {
    IN_WORKER.load(Relaxed)
}

fn run() -> ! {
    IN_WORKER.store(true, Relaxed);
    let status = match std::panic::catch_unwind(begin) {
        Ok(Ok(())) => 0,
        Ok(Err(error)) => {
            eprintln!("tinypl: {error}");
            NO_WORKER
        }
        Err(_) => BROKEN,
    };
    process::exit(status)
}

/// Ends this process at once, in whatever state its other threads are.
pub(crate) fn leave(status: i32) -> ! {
    // SAFETY: it has no preconditions
    unsafe { libc::_exit(status) }
}

/// A worker's `main`.
fn begin() -> io::Result<()> {
    // SAFETY: no other thread exists yet
    unsafe { env::remove_var(VARIABLE) };
    // SAFETY: no handler runs, the signal is ignored; std's `main` would have done it
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
    // SAFETY: likewise; what Ctrl-C ends is the parent's to decide
    unsafe { libc::signal(libc::SIGINT, libc::SIG_IGN) };
    let socket = take_socket().map_err(not_by_hand)?;
    let credentials = rustix::net::sockopt::socket_peercred(&socket).map_err(|error| not_by_hand(error.into()))?;
    if Some(credentials.pid) != rustix::process::getppid() || credentials.uid != rustix::process::getuid() {
        return Err(not_by_hand(io::Error::other("the other end of its standard input is not its parent")));
    }
    worker::serve(socket)
}

fn not_by_hand(error: io::Error) -> io::Error {
    io::Error::other(format!("{VARIABLE} is set, and this process was not started as a worker ({error}); unset it"))
}

/// Takes the socket away from standard input: a function that reads there is to find an end.
fn take_socket() -> io::Result<UnixStream> {
    let stdin = io::stdin();
    rustix::net::sockopt::socket_domain(&stdin)?;
    let socket = rustix::io::fcntl_dupfd_cloexec(&stdin, 3)?;
    let null = File::options().read(true).open("/dev/null")?;
    rustix::stdio::dup2_stdin(&null)?;
    Ok(UnixStream::from(socket))
}

/// Which file a process runs. Offsets mean the same only in the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Executable {
    device: u64,
    file: u64,
    size: u64,
    changed: (i64, i64),
}

impl Executable {
    /// This process's: as it was started, even if the path leads to another file by now.
    pub(crate) fn own() -> io::Result<Self> {
        let file = fs::metadata("/proc/self/exe")?;
        let changed = (file.mtime(), file.mtime_nsec());
        Ok(Self { device: file.dev(), file: file.ino(), size: file.size(), changed })
    }
}

/// Why no worker can be started from this process.
pub(crate) fn obstacle() -> Option<&'static str> {
    let anchor = anchor();
    if !in_executable(anchor) {
        return Some(
            "worker processes start from the main executable, and here tinypl is in a shared library: \
             use `thread::` stages, or move the pipeline into an executable",
        );
    }
    if is_secure() {
        // one that is started would take itself for a program of its own
        return Some(
            "this executable runs with more rights than who started it (it is setuid, setgid, or has capabilities), and \
             there worker processes don't start: use `thread::` stages",
        );
    }
    if !CONSTRUCTED.load(Relaxed) {
        return Some("the constructors of this executable were not run: call `tinypl::init()` at the start of `main`");
    }
    None
}

/// What to say if what was started as a worker is not the file that tinypl is in: a program that is run by way of another, as by
/// the dynamic loader. (Asked when workers don't start: what the system says of files is no reason not to try.)
pub(crate) fn other_executable() -> Option<String> {
    let own = fs::read_link("/proc/self/exe").ok()?;
    let maps = fs::read_to_string("/proc/self/maps").ok()?;
    let ours = maps.lines().find_map(|line| {
        let (range, rest) = line.split_once(' ')?;
        let (start, end) = range.split_once('-')?;
        let [start, end] = [start, end].map(|address| usize::from_str_radix(address, 16).ok());
        (start?..end?).contains(&anchor()).then(|| rest.find('/').map_or("", |path| &rest[path..]))
    })?;
    (!ours.is_empty() && own.as_os_str() != ours).then(|| {
        format!(
            "for this process runs {}, and the pipeline is in {ours}: worker processes are started from the former, so run \
             the latter by itself",
            own.display()
        )
    })
}

fn anchor() -> usize {
    // this mention is also what links the constructor in
    ptr::addr_of!(CONSTRUCTOR) as usize
}

/// A function as a worker finds it.
pub(crate) fn offset(function: usize) -> i64 {
    function.wrapping_sub(anchor()) as i64
}

pub(crate) fn address(offset: i64) -> usize {
    anchor().wrapping_add(offset as usize)
}

/// Whether an address lies in the main executable.
pub(crate) fn in_executable(address: usize) -> bool {
    struct Search {
        address: usize,
        found: bool,
    }
    unsafe extern "C" fn look(object: *mut libc::dl_phdr_info, _: usize, search: *mut c_void) -> c_int {
        // SAFETY: the runtime hands on a valid description
        let object = unsafe { &*object };
        // SAFETY: what was given to `dl_iterate_phdr` below, which nobody else uses meanwhile
        let search = unsafe { &mut *search.cast::<Search>() };
        // SAFETY: as many headers as it says
        let headers = unsafe { std::slice::from_raw_parts(object.dlpi_phdr, usize::from(object.dlpi_phnum)) };
        search.found = headers.iter().filter(|header| header.p_type == libc::PT_LOAD).any(|header| {
            let start = (object.dlpi_addr + header.p_vaddr) as usize;
            (start..start + header.p_memsz as usize).contains(&search.address)
        });
        1 // the first object is the main executable: no further
    }
    let mut search = Search { address, found: false };
    // SAFETY: `look` is called with `search`, within this call
    unsafe { libc::dl_iterate_phdr(Some(look), (&raw mut search).cast()) };
    search.found
}

/// What a worker runs once it knows for what: the part that knows the types.
pub(crate) type Entry = fn(Input) -> io::Result<()>;

/// The entry that lies at `offset`.
///
/// # Safety
/// It came from [`offset`] of an [`Entry`], in a process of this same executable.
pub(crate) unsafe fn entry(offset: i64) -> Entry {
    // SAFETY: says the caller
    unsafe { std::mem::transmute::<usize, Entry>(address(offset)) }
}
