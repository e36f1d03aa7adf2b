//! Where a stage stands: its place in the source, for errors, and its figures, where somebody asked for them.
use crate::error::{Site, note_place};
use crate::monitor::Probe;
use crate::monitor::sampling;
use crate::pipe::Way;
use crate::sync::Arc;
use std::fmt;
use std::sync::OnceLock;

/// Part of every stage.
#[derive(Clone)]
pub struct Post {
    site: Site,
    probe: OnceLock<Arc<Probe>>,
    /// What stands before its `@`.
    handle: Option<&'static str>,
}

impl Post {
    /// The place of whoever calls the caller of this.
    #[track_caller]
    #[inline]
    pub(crate) fn here(name: &'static str) -> Self {
        Self::at(Site::here(name))
    }

    #[inline]
    pub(crate) fn at(site: Site) -> Self {
        Self { site, probe: OnceLock::new(), handle: None }
    }

    pub(crate) fn site(&self) -> Site {
        self.site
    }

    pub(crate) fn handle(&self) -> Option<&'static str> {
        self.handle
    }

    pub(crate) fn set_handle(&mut self, name: &'static str) {
        self.handle = Some(name);
    }

    /// The figures of this stage, from now on.
    pub(crate) fn watched(&self) -> &Arc<Probe> {
        self.probe.get_or_init(Probe::new)
    }

    /// Its figures, if anybody may ask for them.
    #[inline(always)]
    pub(crate) fn probe(&self) -> Option<&Probe> {
        self.probe.get().map(|probe| &**probe)
    }
}

impl fmt::Debug for Post {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.site, f)
    }
}

/// A call of a user's function.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) post: &'a Post,
    /// The item's number, if that can be told from here.
    pub(crate) item: Option<u64>,
    /// As of [`Way::WATCHED`].
    watched: bool,
}

impl<'a> Call<'a> {
    #[inline(always)]
    pub(crate) fn by<W: Way>(post: &'a Post, item: Option<u64>) -> Self {
        Self { post, item, watched: W::WATCHED }
    }

    #[inline(always)]
    pub(crate) fn measured(self, measured: bool) -> Self {
        Self { watched: self.watched && measured, ..self }
    }

    #[inline(always)]
    pub(crate) fn begin(self) -> At<'a> {
        let Self { post, item, watched } = self;
        // first what is nearest: it is asked for each item
        let timed =
            watched && sampling::is_on() && post.probe().is_some_and(|probe| probe.is_on() && sampling::enter(probe));
        At { post, item, timed }
    }
}

/// Stands around a call of a user's function. If the stack unwinds through it, it notes the stage and the item; else it
/// costs nothing: [`left`](Self::left) forgets it. If the call is one of those that are measured, it takes the time.
pub(crate) struct At<'a> {
    post: &'a Post,
    item: Option<u64>,
    timed: bool,
}

impl At<'_> {
    /// The function has returned.
    #[inline(always)]
    pub(crate) fn left(self) {
        if self.timed {
            sampling::leave();
        }
        std::mem::forget(self);
    }
}

impl Drop for At<'_> {
    // inlined, and by value from there: if its address went anywhere it would lie in memory, not in registers
    #[inline(always)]
    fn drop(&mut self) {
        unwound(self.post, self.item, self.timed);
    }
}

#[cold]
#[inline(never)]
fn unwound(post: &Post, item: Option<u64>, timed: bool) {
    if timed {
        sampling::leave();
    }
    note_place(post.site, item);
}
