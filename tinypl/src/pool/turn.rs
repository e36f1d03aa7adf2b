//! A lock that threads which are to stop don't wait for: its holder may be asleep in a stage that others share.
use super::bell::Bell;
use super::stop;
use crate::error::Site;
use crate::monitor::lane::{Doing, Watchers};
use crate::sync::{Arc, AtomicUsize, Ordering::*, thread_local};

#[derive(Debug)]
pub(crate) struct Turn {
    site: Site,
    /// Whose turn it is; 0: nobody's.
    holder: AtomicUsize,
    bell: Arc<Bell>,
    pub(crate) watchers: Arc<Watchers>,
}

/// Ends the turn when it is dropped.
#[derive(Debug)]
pub(crate) struct InTurn<'a>(&'a Turn);

thread_local! {
    /// Its address is this thread's name.
    static ME: Box<u8> = Box::new(0);
}

impl Turn {
    pub(crate) fn new(site: Site) -> Self {
        Self { site, holder: AtomicUsize::new(0), bell: Bell::new(), watchers: Arc::default() }
    }

    /// Waits for this thread's turn; `None` if it is to stop.
    ///
    /// # Panics
    /// If it is this thread's turn already: it would wait for itself.
    pub(crate) fn wait(&self) -> Option<InTurn<'_>> {
        let me = ME.with(|me| std::ptr::from_ref(&**me).addr());
        loop {
            match self.holder.compare_exchange(0, me, AcqRel, Acquire) {
                Ok(_) => return Some(InTurn(self)),
                Err(holder) => assert!(holder != me, "{}: a stage above it pulls from it", self.site),
            }
            if stop::requested() {
                return None;
            }
            let _waiting = self.watchers.waiting(Doing::Input);
            stop::ring_downstream();
            self.bell.sleep(0, None, || self.holder.load(Acquire) == 0);
        }
    }
}

impl Drop for InTurn<'_> {
    fn drop(&mut self) {
        self.0.holder.store(0, Release);
        self.0.bell.reached(usize::MAX - 1);
    }
}
