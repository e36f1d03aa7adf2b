//! Where worker threads live: on their own, or in a `std::thread::scope`.
use crate::sync::Builder;
use std::io;
use std::thread::Scope;

pub(crate) type Job<'a> = Box<dyn FnOnce() + Send + 'a>;
/// Waits for a thread that was started.
pub(crate) type Join<'a> = Box<dyn FnOnce() + Send + 'a>;

/// Starts threads that may use what lives for `'a`.
pub trait Spawn<'a> {
    /// Starts a thread; what it gives back joins that thread.
    ///
    /// # Errors
    /// When the system can't start one.
    #[doc(hidden)]
    fn spawn(&self, name: &str, job: Job<'a>) -> io::Result<Join<'a>>;
}

/// Threads that are joined by the pipeline: what they use must be `'static`.
#[derive(Clone, Copy, Debug)]
pub struct Detached;

impl Spawn<'static> for Detached {
    fn spawn(&self, name: &str, job: Job<'static>) -> io::Result<Join<'static>> {
        let handle = Builder::new().name(name.to_owned()).spawn(job)?;
        Ok(Box::new(move || {
            // a worker catches its panics
            let _ = handle.join();
        }))
    }
}

impl<'s> Spawn<'s> for &'s Scope<'s, '_> {
    fn spawn(&self, name: &str, job: Job<'s>) -> io::Result<Join<'s>> {
        let builder = std::thread::Builder::new().name(name.to_owned());
        let handle = builder.spawn_scoped(self, job)?;
        Ok(Box::new(move || {
            let _ = handle.join();
        }))
    }
}
