//! A piece of memory that processes map, and nothing else: who may touch which part of it is said by the broker's books.
use super::ShmError;
use memmap2::{MmapOptions, MmapRaw};
use rustix::fs::Mode;
use rustix::io::Errno;
use rustix::shm;
use shared_memory::{ShmemConf, ShmemError};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::UNIX_EPOCH;

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
        Ok(Self { map, fd })
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    pub(crate) fn len(&self) -> usize {
        self.map.len()
    }

    /// The first byte; it is aligned to a page.
    pub(crate) fn as_ptr(&self) -> *mut u8 {
        self.map.as_mut_ptr()
    }
}

/// A segment without a name. Only a process that is killed within these few calls leaves one behind.
fn posix(len: usize) -> io::Result<OwnedFd> {
    let (mut segment, name) = loop {
        let name = unique_name();
        match ShmemConf::new().os_id(&name).size(len).create() {
            Ok(segment) => break (segment, name),
            Err(ShmemError::MappingIdExists) => {}
            Err(ShmemError::MapCreateFailed(code) | ShmemError::UnknownOsError(code)) => {
                return Err(io::Error::from_raw_os_error(code.cast_signed()));
            }
            Err(other) => return Err(io::Error::other(other)),
        }
    };
    // the crate keeps its descriptor to itself; this one is closed on exec
    let fd = shm::open(&name, shm::OFlags::RDWR, Mode::empty());
    let unlinked = shm::unlink(&name);
    // or its `Drop` would remove the name a second time, which by then may be somebody else's
    segment.set_owner(false);
    unlinked?;
    Ok(fd?)
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
    use rustix::fs::{FallocateFlags, MemfdFlags, SealFlags};
    use rustix::fs::{fallocate, fcntl_add_seals, fstatvfs, ftruncate, memfd_create};

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

    fn refused(fd: &OwnedFd, reserved: usize, needed: usize, errno: Errno, backend: Backend) -> ShmError {
        if let (Errno::NOSPC, Backend::Posix, Ok(fs)) = (errno, backend, fstatvfs(fd)) {
            let bytes = |blocks: u64| usize::try_from(blocks.saturating_mul(fs.f_frsize)).unwrap_or(usize::MAX);
            let free = bytes(fs.f_bavail) + reserved; // given back when the descriptor is closed
            return ShmError::NoSpace { needed, free, total: bytes(fs.f_blocks) };
        }
        ShmError::Create { needed, cause: io::Error::from(errno).to_string() }
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
}
