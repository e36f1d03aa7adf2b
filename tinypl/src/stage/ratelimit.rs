//! `ratelimit(num, period)`: one puller at a time.
use crate::locked::{Given, Locked, Serial, pulls, stopping};
use crate::monitor::Survey;
use crate::monitor::lane::{Doing, Watchers};
use crate::pipe::{Pipe, Upstream, Way};
use crate::pool::{Bell, stop};
use crate::post::Post;
use crate::sync::{Arc, Instant, Mutex};
use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

/// At most `num` pulls of what stands above in any time span of length `period`.
///
/// It keeps the times of the last `num` pulls (a sliding window log): a pull waits until `period` has passed since the
/// `num`th before it. What counts is when a pull begins: how long the source takes with it is its own affair.
///
/// ```
/// use std::time::{Duration, Instant};
/// use tinypl::pipeline;
///
/// let began = Instant::now();
/// let n = pipeline! { range(5) |> ratelimit(2, Duration::from_millis(10)) |> count() };
/// assert_eq!(n, 5);
/// assert!(began.elapsed() >= Duration::from_millis(20)); // the 5th pull is in the third period
/// ```
///
/// # Panics
/// If `num` is 0.
#[track_caller]
pub fn ratelimit<P: Pipe>(up: P, num: usize, period: Duration) -> Locked<RateLimit<P>> {
    assert!(num > 0, "`num` of `ratelimit` must be at least 1");
    let log = Arc::new(Log { num, period, times: Mutex::new(VecDeque::new()) });
    Locked::new(RateLimit { up, log, bell: Bell::new(), watchers: Arc::default() }, Post::here("ratelimit"))
}

impl<P: Pipe> Locked<RateLimit<P>> {
    /// What stands before its `@`.
    #[doc(hidden)]
    pub fn called(mut self, name: &'static str) -> Self {
        self.set_handle(name);
        self
    }

    /// A handle: when the next place is free.
    pub fn handle(&mut self) -> RateLimitHandle {
        RateLimitHandle(self.stage_mut().log.clone())
    }
}

/// The stage of [`ratelimit`].
#[must_use = "a stage does nothing until it is pulled"]
pub struct RateLimit<P> {
    up: P,
    log: Arc<Log>,
    /// Never rung but to stop: what is waited for is time.
    bell: Arc<Bell>,
    watchers: Arc<Watchers>,
}

#[derive(Debug)]
struct Log {
    num: usize,
    period: Duration,
    /// The last pulls, at most `num`, the oldest first.
    times: Mutex<VecDeque<Instant>>,
}

impl Log {
    /// How long it is until the oldest of the last pulls leaves the period.
    fn until_drop(&self) -> Duration {
        let times = self.times.lock();
        let mut left = times.iter().map(|pull| self.period.saturating_sub(pull.elapsed()));
        left.find(|left| !left.is_zero()).unwrap_or_default()
    }

    /// Takes a place, or says how long there is none.
    fn take_place(&self) -> Result<(), Duration> {
        let mut times = self.times.lock();
        if times.len() == self.num
            && let Some(oldest) = times.front()
        {
            let left = self.period.saturating_sub(oldest.elapsed());
            if !left.is_zero() {
                return Err(left);
            }
            times.pop_front();
        }
        times.push_back(Instant::now());
        Ok(())
    }
}

impl<P: Pipe> Serial for RateLimit<P> {
    type Item = P::Item;
    type Marker = P::Marker;
    type Tags = P::Tags;

    pulls!();

    #[inline]
    fn pull_by<W: Way>(&mut self) -> Option<Given<Self>> {
        while let Err(left) = self.log.take_place() {
            if stopping() {
                return None;
            }
            let _waiting = self.watchers.waiting(Doing::Input);
            stop::ring_downstream();
            self.bell.sleep(usize::MAX - 1, Some(left), || false);
        }
        W::pull(&mut self.up)
    }

    fn describe(&self, survey: &mut Survey) {
        survey.waits(&self.watchers).option("num", self.log.num).option("period", format!("{:?}", self.log.period));
    }

    fn upstream(&mut self) -> Option<&mut dyn Upstream> {
        Some(&mut self.up)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.up.size_hint()
    }
}

impl<P: fmt::Debug> fmt::Debug for RateLimit<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Log { num, period, .. } = &*self.log;
        f.debug_struct("RateLimit").field("num", num).field("period", period).field("up", &self.up).finish()
    }
}

/// The live figures of a [`ratelimit`]. It does not keep the pipeline alive.
#[derive(Clone, Debug)]
pub struct RateLimitHandle(Arc<Log>);

impl RateLimitHandle {
    /// How long it is until the oldest pull that counts drops out of the period, and its place is free again; zero if none
    /// counts.
    pub fn time_to_next_drop(&self) -> Duration {
        self.0.until_drop()
    }
}
