//! What a running pipeline shows of itself.
//!
//! Each stage has a [`Probe`](probe), each thread a [`Lane`](lane) with accounts of its time. Where threads are they are there
//! from the start, and idle until somebody asks.
mod consumer;
pub(crate) mod lane;
#[cfg(feature = "watch")]
pub(crate) mod panel;
mod probe;
mod report;
pub(crate) mod sampling;
mod survey;
mod table;
#[cfg(feature = "trace")]
mod trace;
#[cfg(not(feature = "trace"))]
#[path = "no_trace.rs"]
mod trace;
#[cfg(feature = "watch")]
mod watch;

use crate::Error;
use crate::error::Site;
use crate::sync::{Arc, Mutex};
pub(crate) use consumer::Consumer;
use lane::Lane;
pub(crate) use probe::{Counted, Probe};
pub use report::{Fill, Report, StageReport, Times};
use std::fmt;
use std::sync::OnceLock;
#[cfg(feature = "watch")]
use std::sync::Weak;
use std::time::{Duration, Instant};
pub(crate) use survey::{Crew, OWN, Survey, brand, passing};
#[cfg(feature = "watch")]
use watch::View;
#[cfg(feature = "watch")]
pub use watch::Watch;

/// A handle on the live figures of a pipeline, of [`Pipeline::monitor`](crate::Pipeline::monitor). It is cheap to clone, may go
/// to other threads, and does not keep the pipeline alive.
///
/// ```
/// use tinypl::pipeline;
///
/// let mut pipe = pipeline! { range(1000) |> thread::map(|x| x + 1, workers = 2) };
/// let monitor = pipe.monitor();
/// let watcher = std::thread::spawn(move || monitor.report());
/// assert_eq!(pipe.count(), 1000);
/// println!("{}", watcher.join().unwrap());
/// ```
#[derive(Clone)]
pub struct Monitor(Arc<Watched>);

struct Watched {
    survey: Survey,
    /// What each stage had given, and how long it had been at it, before.
    before: OnceLock<Vec<(u64, Times)>>,
    /// What there was to report when nobody could pull any more.
    last: OnceLock<Report>,
    began: u64,
    /// The consumer's time, and what of it is its own.
    lane: Arc<Lane>,
    own: Arc<Probe>,
    ending: Arc<Ending>,
}

/// How and when a pipeline ended.
#[derive(Debug, Default)]
pub(crate) struct Ending {
    how: Mutex<(Option<Instant>, Option<Site>)>,
    /// Who shows the pipeline until then.
    #[cfg(feature = "watch")]
    views: Mutex<Vec<Weak<View>>>,
}

impl Ending {
    /// It has ended, or rests.
    pub(crate) fn note(&self) {
        self.how.lock().0 = Some(Instant::now());
    }

    /// It goes on; when it had ended.
    pub(crate) fn goes_on(&self) -> Option<Instant> {
        self.how.lock().0.take()
    }

    /// It has not gone on after all.
    pub(crate) fn ended_before(&self, end: Option<Instant>) {
        if end.is_some() {
            self.how.lock().0 = end;
        }
    }

    pub(crate) fn failed(&self, error: &Error) {
        let mut how = self.how.lock();
        how.0.get_or_insert_with(Instant::now);
        how.1 = error.site();
        drop(how);
        self.end_views();
    }

    /// It is over, and it is known why. No lock is held, for the views take a report.
    pub(crate) fn end_views(&self) {
        #[cfg(feature = "watch")]
        for view in std::mem::take(&mut *self.views.lock()).iter().filter_map(Weak::upgrade) {
            view.end();
        }
    }

    /// The view ends with the pipeline.
    #[cfg(feature = "watch")]
    fn is_shown_by(&self, view: &Arc<View>) {
        self.views.lock().push(Arc::downgrade(view));
        if self.how.lock().0.is_some() {
            self.end_views();
        }
    }
}

impl Monitor {
    pub(crate) fn new(survey: Survey) -> (Self, Consumer) {
        let lane = Lane::new();
        // of what flows in beside, too: whoever waits for that waits for input
        survey.watchers().for_each(|watchers| watchers.add(&lane));
        let survey = survey.main_stream();
        for stage in &survey.stages {
            stage.probes.iter().for_each(|probe| probe.turn_on());
            if let Some(crew) = &stage.crew {
                crew.flow.lanes.iter().for_each(|lane| lane.turn_on());
            }
        }
        let own = Probe::new();
        let ending = Arc::new(Ending::default());
        let consumer = Consumer::new(lane.clone(), own.clone(), ending.clone());
        let (before, last) = (OnceLock::new(), OnceLock::new());
        let monitor = Self(Arc::new(Watched { survey, before, last, began: lane::now(), lane, own, ending }));
        let _first = monitor.0.before.set(Report::figures(&monitor));
        (monitor, consumer)
    }

    /// The figures at this moment. Counts are exact when the pipeline has ended; while it runs they may lag behind by what its
    /// workers have at hand.
    pub fn report(&self) -> Report {
        self.0.last.get().cloned().unwrap_or_else(|| {
            // the next report knows more of what is under way now
            self.lane().ask();
            Report::of(self)
        })
    }

    /// Nobody pulls its pipeline any more.
    pub(crate) fn freeze(&self) {
        let _first = self.0.last.set(self.report());
    }

    fn survey(&self) -> &Survey {
        &self.0.survey
    }

    /// Until when figures are gathered, as of [`lane::now`].
    fn until(&self) -> u64 {
        self.0.ending.how.lock().0.map_or_else(lane::now, lane::at)
    }

    /// How long that is.
    fn elapsed(&self, until: u64) -> Duration {
        Duration::from_nanos(until.saturating_sub(self.0.began))
    }

    fn lane(&self) -> &Lane {
        &self.0.lane
    }

    #[cfg(feature = "watch")]
    fn ending(&self) -> &Ending {
        &self.0.ending
    }

    fn own(&self) -> &Probe {
        &self.0.own
    }

    /// What a stage had given, and how long it had been at it, before anybody asked.
    fn before(&self, i: usize) -> (u64, Times) {
        self.0.before.get().map_or_else(Default::default, |before| before[i])
    }

    fn failed_at(&self, site: Site) -> bool {
        self.0.ending.how.lock().1.is_some_and(|failed| failed.is_of(&site))
    }
}

impl fmt::Debug for Monitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Monitor").field("elapsed", &self.elapsed(self.until())).finish_non_exhaustive()
    }
}
