//! Which items can't get on, because their workers wait for room in shared memory: what came along with them stays.
use super::luggage::{Luggage, Seat};
use parking_lot::Mutex;
use std::sync::Arc;

/// A stage whose workers may wait for room.
pub(crate) trait Stage: Send + Sync {
    /// Shows what came along with each item that can't get on, if those workers of whom `waits` says so do nothing but wait.
    fn jammed(&self, waits: &dyn Fn(Seat) -> bool, show: &mut dyn FnMut(&Luggage));
}

static STAGES: Mutex<Vec<Arc<dyn Stage>>> = Mutex::new(Vec::new());

/// All of this process's. No stage goes meanwhile.
pub(crate) fn jammed(waits: &dyn Fn(Seat) -> bool, show: &mut dyn FnMut(&Luggage)) {
    STAGES.lock().iter().for_each(|stage| stage.jammed(waits, show));
}

/// A stage is asked until this is dropped.
pub(crate) struct Asked(Arc<dyn Stage>);

impl Asked {
    pub(crate) fn from_now_on(stage: Arc<dyn Stage>) -> Self {
        STAGES.lock().push(stage.clone());
        Self(stage)
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        STAGES.lock().retain(|stage| !Arc::ptr_eq(stage, &self.0));
    }
}
