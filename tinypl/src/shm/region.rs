//! A piece of memory that processes map, and nothing else: who may touch which part of it is said by the broker's books.
use super::ShmError;
use super::extents::PAGE;
use memmap2::{MmapOptions, MmapRaw};
use parking_lot::Mutex;
use rustix::fs::Mode;
use rustix::io::Errno;
use rustix::shm;
use shared_memory::{ShmemConf, ShmemError};
use std::fs;
use std::io;
use std::ops::Range;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, UNIX_EPOCH};

/// Where the memory of a [`SharedMemoryRingBuffer`](super::SharedMemoryRingBuffer) comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Backend {
    /// POSIX shared memory: on Linux a file in `/dev/shm`, whose size limits it. Its name is removed at once.
    #[default]
    Posix,
    /// A file in memory that never had a name (`memfd_create`): limited by the machine's memory alone.
    #[cfg(target_os = "linux")]
    Memfd,
}

/// Shared memory, mapped into this process. It goes when the last process that maps it goes.
#[derive(Debug)]
pub(crate) struct Region {
    map: MmapRaw,
    fd: OwnedFd,
    /// Which pages this process has populated.
    populated: Mutex<Vec<bool>>,
}

impl Region {
    /// # Errors
    /// When the system does not have, or does not give, so much.
    pub(crate) fn create(len: usize, backend: Backend) -> Result<Self, ShmError> {
        let create = |cause: io::Error| ShmError::Create { needed: len, cause: cause.to_string() };
        let fd = match backend {
            Backend::Posix => posix(len).map_err(create)?,
            #[cfg(target_os = "linux")]
            Backend::Memfd => linux::memfd(len).map_err(create)?,
        };
        #[cfg(target_os = "linux")]
        linux::reserve(&fd, len, backend)?;
        Self::open(fd, len).map_err(create)
    }

    /// Maps what another process made.
    ///
    /// # Errors
    /// If the file is shorter than `len` (to touch what it lacks would kill the process), or can't be mapped.
    pub(crate) fn open(fd: OwnedFd, len: usize) -> io::Result<Self> {
        let size = rustix::fs::fstat(&fd)?.st_size;
        if usize::try_from(size).is_ok_and(|size| size < len) {
            let text = format!("shared memory of {size} bytes where {len} were announced");
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        let map = MmapOptions::new().len(len).map_raw(fd.as_raw_fd())?;
        let populated = Mutex::new(vec![false; len.div_ceil(PAGE)]);
        Ok(Self { map, fd, populated })
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    pub(crate) fn len(&self) -> usize {
        self.map.len()
    }

    /// Maps the pages of an extent that is about to be used, those that this process has not used before. At once they cost
    /// a fifth of what they would cost one by one, as each is touched. It may be refused: then they cost that.
    pub(crate) fn populate(&self, at: usize, bytes: usize) {
        let Some(pages) = self.unpopulated(at, bytes) else { return };
        #[cfg(target_os = "linux")]
        let _refused = self.map.advise_range(memmap2::Advice::PopulateWrite, pages.start * PAGE, pages.len() * PAGE);
    }

    /// The pages from the first to the last that were not populated before; they count as populated from here on.
    fn unpopulated(&self, at: usize, bytes: usize) -> Option<Range<usize>> {
        let first = at / PAGE;
        let mut populated = self.populated.lock();
        let pages = populated.get_mut(first..first + bytes.div_ceil(PAGE))?;
        let start = pages.iter().position(|populated| !populated)?;
        let end = pages.iter().rposition(|populated| !populated)? + 1;
        pages[start..end].fill(true);
        Some(first + start..first + end)
    }

    /// The first byte; it is aligned to a page.
    pub(crate) fn as_ptr(&self) -> *mut u8 {
        self.map.as_mut_ptr()
    }
}

/// A segment without a name. Only a process that is killed within these few calls leaves its name behind, with no memory yet; who
/// makes the next segment removes it.
fn posix(len: usize) -> io::Result<OwnedFd> {
    sweep();
    loop {
        if let Some(fd) = unnamed(len)? {
            return Ok(fd);
        }
    }
}

/// `None` if the name was somebody else's, or was swept away while this process stood still.
fn unnamed(len: usize) -> io::Result<Option<OwnedFd>> {
    let name = unique_name();
    let mut segment = match ShmemConf::new().os_id(&name).size(len).create() {
        Ok(segment) => segment,
        Err(ShmemError::MappingIdExists) => return Ok(None),
        Err(ShmemError::MapCreateFailed(code) | ShmemError::UnknownOsError(code)) => {
            return Err(io::Error::from_raw_os_error(code.cast_signed()));
        }
        Err(other) => return Err(io::Error::other(other)),
    };
    // the crate keeps its descriptor to itself; this one is closed on exec
    let fd = shm::open(&name, shm::OFlags::RDWR, Mode::empty());
    let unlinked = shm::unlink(&name);
    // or its `Drop` would remove the name a second time, which by then may be somebody else's
    segment.set_owner(false);
    match (fd, unlinked) {
        (Ok(fd), Ok(()) | Err(Errno::NOENT)) => Ok(Some(fd)),
        (Err(Errno::NOENT), _) => Ok(None),
        (Err(errno), _) | (_, Err(errno)) => Err(errno.into()),
    }
}

/// Removes names that their processes could not remove any more. Whose they were can't be told (containers may share `/dev/shm`),
/// but a name is needed for microseconds only; and who loses one takes another.
fn sweep() {
    let Ok(all) = fs::read_dir(SEGMENTS) else { return };
    for entry in all.flatten() {
        let old = |meta: fs::Metadata| {
            let is_ours = meta.is_file() && meta.uid() == rustix::process::getuid().as_raw();
            is_ours && meta.modified().is_ok_and(|made| made.elapsed().is_ok_and(|age| age >= OLD))
        };
        if entry.file_name().to_str().is_some_and(is_unique_name) && entry.metadata().is_ok_and(old) {
            let _somebody_was_quicker = fs::remove_file(entry.path());
        }
    }
}

/// Where Linux shows the names of segments.
const SEGMENTS: &str = "/dev/shm";
/// No living process has needed its segment's name for so long.
const OLD: Duration = Duration::from_secs(60);

/// Whether [`unique_name`] makes such a name.
fn is_unique_name(name: &str) -> bool {
    let mut parts = name.split('.');
    parts.next() == Some("tinypl")
        && parts.clone().count() == 3
        && parts.all(|part| u32::from_str_radix(part, 16).is_ok())
}

/// At most 31 bytes, the least limit of all systems. A process number alone is not unique where containers share `/dev/shm`.
fn unique_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let nanos = UNIX_EPOCH.elapsed().map_or(0, |now| now.subsec_nanos());
    format!("/tinypl.{:x}.{count:x}.{nanos:x}", std::process::id())
}

#[cfg(target_os = "linux")]
mod linux {
    use super::{Backend, Errno, OwnedFd, ShmError, io};
    use crate::shm::error::Bytes;
    use rustix::fs::{FallocateFlags, MemfdFlags, SealFlags};
    use rustix::fs::{fallocate, fcntl_add_seals, fstatvfs, ftruncate, memfd_create};
    use std::fs;

    pub(super) fn memfd(len: usize) -> io::Result<OwnedFd> {
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        // some systems insist on the flag, kernels before 6.3 don't know it
        let fd = match memfd_create("tinypl", flags | MemfdFlags::NOEXEC_SEAL) {
            Err(Errno::INVAL) => memfd_create("tinypl", flags),
            done => done,
        }?;
        ftruncate(&fd, len as u64)?;
        // nobody can take away pages that others have mapped
        fcntl_add_seals(&fd, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
        Ok(fd)
    }

    /// Reserves the pages, so that a lack of memory shows here, and not as SIGBUS in whoever touches them first.
    pub(super) fn reserve(fd: &OwnedFd, len: usize, backend: Backend) -> Result<(), ShmError> {
        look_first(fd, len, backend)?;
        // an interrupted call starts afresh: short ones get done even under a timer's signals
        const STEP: usize = 16 << 20;
        for at in (0..len).step_by(STEP) {
            let step = STEP.min(len - at) as u64;
            let reserved = rustix::io::retry_on_intr(|| fallocate(fd, FallocateFlags::empty(), at as u64, step));
            if let Err(errno) = reserved {
                return Err(refused(fd, at, len, errno, backend));
            }
        }
        Ok(())
    }

    /// To ask for more than there is would first use up all that there is, and may get any process killed.
    fn look_first(fd: &OwnedFd, needed: usize, backend: Backend) -> Result<(), ShmError> {
        if backend == Backend::Posix
            && let Some((free, total)) = space(fd)
            && free < needed
        {
            return Err(ShmError::NoSpace { needed, free, total });
        }
        match available() {
            Some(memory) if memory < needed => {
                Err(ShmError::Create { needed, cause: format!("the machine has {} of memory left", Bytes(memory)) })
            }
            _ => Ok(()),
        }
    }

    /// Somebody else was quicker, if there was room before.
    fn refused(fd: &OwnedFd, reserved: usize, needed: usize, errno: Errno, backend: Backend) -> ShmError {
        match space(fd) {
            Some((free, total)) if errno == Errno::NOSPC && backend == Backend::Posix => {
                // what was reserved is given back when the descriptor is closed
                ShmError::NoSpace { needed, free: free + reserved, total }
            }
            _ => ShmError::Create { needed, cause: io::Error::from(errno).to_string() },
        }
    }

    /// What is free, and what there is, in the file system of `fd`; `None` where that is not limited.
    fn space(fd: &OwnedFd) -> Option<(usize, usize)> {
        let fs = fstatvfs(fd).ok().filter(|fs| fs.f_blocks > 0)?;
        let bytes = |blocks: u64| usize::try_from(blocks.saturating_mul(fs.f_frsize)).unwrap_or(usize::MAX);
        Some((bytes(fs.f_bavail), bytes(fs.f_blocks)))
    }

    /// The memory that could still be had, as the kernel reckons.
    fn available() -> Option<usize> {
        let meminfo = fs::read_to_string("/proc/meminfo").ok()?;
        let kib = |name: &str| -> Option<usize> {
            let line = meminfo.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().strip_suffix(" kB")?.parse().ok()
        };
        Some((kib("MemAvailable:")? + kib("SwapFree:")?).saturating_mul(1024))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_too_short_is_refused() {
        let region = Region::create(4096, Backend::Posix).unwrap();
        let fd = region.fd().try_clone_to_owned().unwrap();
        assert!(Region::open(fd, 4097).is_err());
    }

    /// As one that was killed has left it.
    #[test]
    fn names_that_were_left_behind_are_swept_away() {
        let path = |name: &str| std::path::Path::new(SEGMENTS).join(name);
        // in the name of a process that lives, or other tests would call them left over
        let pid = std::process::id();
        let old = [format!("tinypl.1.{pid:x}.0"), format!("tinypl.1.{pid:x}.notes"), format!("tinypl.1.{pid:x}.2.3")];
        for name in &old {
            let file = fs::File::create(path(name)).unwrap();
            file.set_modified(std::time::SystemTime::now() - 2 * OLD).unwrap();
        }
        let new = format!("tinypl.1.{pid:x}.1");
        fs::File::create(path(&new)).unwrap();
        Region::create(4096, Backend::Posix).unwrap();
        let left: Vec<_> = old.iter().chain([&new]).filter(|name| fs::remove_file(path(name)).is_ok()).collect();
        assert_eq!(left, [&old[1], &old[2], &new]);
    }

    /// Somebody else's sweep is quicker, again and again.
    #[test]
    fn who_loses_his_name_takes_another() {
        let over = std::sync::atomic::AtomicBool::new(false);
        let prefix = format!("tinypl.{:x}.", std::process::id());
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    let names = fs::read_dir(SEGMENTS).unwrap().flatten();
                    let made = names.filter(|name| name.file_name().to_string_lossy().starts_with(&prefix));
                    made.for_each(|name| _ = fs::remove_file(name.path()));
                }
            });
            let made = (0..2000).try_for_each(|_| posix(4096).map(drop));
            over.store(true, Ordering::Relaxed);
            made.unwrap();
        });
    }

    #[test]
    fn pages_are_populated_once() {
        let region = Region::create(10 * PAGE, Backend::Posix).unwrap();
        assert_eq!(region.unpopulated(2 * PAGE, 3 * PAGE - 1), Some(2..5));
        assert_eq!(region.unpopulated(3 * PAGE, PAGE), None);
        assert_eq!(region.unpopulated(PAGE, 5 * PAGE), Some(1..6));
        assert_eq!(region.unpopulated(9 * PAGE, 1), Some(9..10));
        assert_eq!((region.unpopulated(9 * PAGE, 0), region.unpopulated(0, 11 * PAGE)), (None, None));
    }
}
