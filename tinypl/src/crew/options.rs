//! The options of a process stage, beside those it shares with a thread queue.
use crate::monitor::Survey;
use std::time::Duration;

/// What becomes of the item that a worker process was at when it died.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnDeath {
    /// The pipeline ends with an [`Error`](crate::Error) that names the item, and the signal or exit status.
    #[default]
    Fail,
    /// Another worker runs it again, at most so many times; then as [`Fail`](Self::Fail).
    Retry(u32),
    /// It is left out, as a filter does, and a warning is logged that names it.
    Skip,
}

/// Says what an encoded item is.
pub(crate) type About = fn(&[u8]) -> Option<String>;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    pub(crate) workers: usize,
    pub(crate) input_maxsize: Option<usize>,
    pub(crate) start_timeout: Duration,
    pub(crate) end_timeout: Duration,
    pub(crate) item_timeout: Option<Duration>,
    pub(crate) on_death: OnDeath,
    /// What an encoded item is, for errors, where its number says too little.
    pub(crate) about: Option<About>,
}

impl Options {
    pub(crate) fn new(workers: usize) -> Self {
        Self {
            workers,
            input_maxsize: None,
            start_timeout: Duration::from_secs(30),
            end_timeout: Duration::from_secs(10),
            item_timeout: None,
            on_death: OnDeath::default(),
            about: None,
        }
    }

    /// Those that were set.
    pub(crate) fn describe(&self, survey: &mut Survey) {
        let unset = Self::new(self.workers);
        if let Some(n) = self.input_maxsize {
            survey.option("input_maxsize", n);
        }
        survey.limit("start_timeout", Some(self.start_timeout).filter(|limit| *limit != unset.start_timeout));
        survey.limit("end_timeout", Some(self.end_timeout).filter(|limit| *limit != unset.end_timeout));
        survey.limit("item_timeout", self.item_timeout);
        match self.on_death {
            OnDeath::Fail => {}
            OnDeath::Retry(n) => _ = survey.option("on_death", format!("retry({n})")),
            OnDeath::Skip => _ = survey.option("on_death", "skip"),
        }
    }
}
