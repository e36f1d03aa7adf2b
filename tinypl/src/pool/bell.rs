//! Sleeping and waking. Wake-ups are what costs, so a sleeper says for which level of a count it wants to be woken, and
//! whoever raises that count looks at one number first.
use super::stop;
use crate::sync::{Arc, AtomicUsize, CLOCK, Condvar, Instant, Mutex, Ordering::*, fence, thread_local, yield_now};
use crossbeam_utils::CachePadded;
use std::cell::Cell;
use std::fmt;
use std::time::Duration;

/// The longest that a result waits for company before its consumer is woken.
pub(crate) const NAP: Duration = Duration::from_millis(1);
/// A turn given away that comes back sooner found nobody else.
const ALONE: Duration = Duration::from_micros(2);
/// So many of them in a row, 10 to 20 µs, and it is time to sleep: about what a wake-up costs.
const TURNS: u32 = 40;
/// How long it is remembered that others took long turns.
const MEMORY: Duration = Duration::from_millis(100);
const NOBODY: usize = usize::MAX;

/// Where threads sleep until a count, which others raise, reaches the level they named.
pub(crate) struct Bell {
    /// The lowest level that a sleeper named. Written by sleepers, and by ringers, under `sleepers`; read by all.
    wake_at: CachePadded<AtomicUsize>,
    sleepers: Mutex<Sleepers>,
    wake: Condvar,
}

#[derive(Default)]
struct Sleepers {
    count: usize,
    rings: u64,
}

impl Bell {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            wake_at: CachePadded::new(AtomicUsize::new(NOBODY)),
            sleepers: Mutex::new(Sleepers::default()),
            wake: Condvar::default(),
        })
    }

    /// Whether somebody wants to be woken at this level. It may miss a sleeper who announces itself at this very moment,
    /// unless the caller holds a lock that the sleeper's `look` takes, or has raised the count before a `SeqCst` fence.
    #[inline]
    pub(crate) fn is_due(&self, level: usize) -> bool {
        level >= self.wake_at.load(Relaxed)
    }

    /// After raising the count to `level`: wakes whom that concerns, unless he lies down at this very moment.
    #[inline]
    pub(crate) fn hint(&self, level: usize) {
        if self.is_due(level) {
            self.ring();
        }
    }

    /// As [`hint`](Self::hint), and misses nobody.
    #[inline]
    pub(crate) fn reached(&self, level: usize) {
        fence(SeqCst); // SYNC POINT: the fence in `sleep`; either he sees the count, or we see him
        self.hint(level);
    }

    /// Wakes all sleepers, whatever they wait for.
    #[cold]
    #[inline(never)]
    pub(crate) fn ring(&self) {
        let mut sleepers = self.sleepers.lock();
        sleepers.rings += 1;
        self.wake_at.store(NOBODY, SeqCst);
        let anybody = sleepers.count > 0;
        drop(sleepers);
        if anybody {
            self.wake.notify_all();
        }
    }

    /// Sleeps until rung at `level`, until `limit` is over, or until this thread is to stop; not at all if `look`, called
    /// after the announcement, finds what is waited for. May return early: the caller looks again. Whether it slept.
    #[cold]
    #[inline(never)]
    pub(crate) fn sleep(self: &Arc<Self>, level: usize, limit: Option<Duration>, look: impl FnOnce() -> bool) -> bool {
        let mut sleepers = self.sleepers.lock();
        let rings = sleepers.rings;
        sleepers.count += 1;
        self.wake_at.store(level.min(self.wake_at.load(Relaxed)), SeqCst); // another sleeper may want to wake earlier
        drop(sleepers); // `look` may take locks under which others ring
        fence(SeqCst); // SYNC POINT: the fence in `reached`
        let registered = if look() { None } else { stop::register(self) };
        sleepers = self.sleepers.lock();
        if let Some(registered) = registered {
            let began = Instant::now();
            while sleepers.rings == rings {
                match limit.map(|limit| limit.saturating_sub(began.elapsed())) {
                    None => sleepers = self.wake.wait(sleepers),
                    Some(left) if left.is_zero() => break,
                    Some(left) => sleepers = self.wake.wait_for(sleepers, left),
                }
            }
            sleepers.count -= 1;
            self.forget(&sleepers);
            drop(sleepers);
            drop(registered);
            return true;
        }
        sleepers.count -= 1;
        self.forget(&sleepers);
        false
    }

    fn forget(&self, sleepers: &Sleepers) {
        if sleepers.count == 0 {
            self.wake_at.store(NOBODY, SeqCst);
        }
    }
}

impl fmt::Debug for Bell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bell").finish_non_exhaustive()
    }
}

thread_local! {
    #[cfg_attr(not(any(loom, shuttle)), expect(clippy::missing_const_for_thread_local, reason = "the model's can't be const"))]
    /// When a turn given away was last taken for long, by a thread that is none of ours.
    static TAKEN: Cell<Option<Instant>> = Cell::new(None);
}

/// How it went to let others run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turns {
    /// Whether what was looked for was found.
    pub(crate) found: bool,
    pub(crate) began: Instant,
    pub(crate) ended: Instant,
    /// For how long nobody else wanted this core.
    pub(crate) alone: Duration,
}

/// Lets others run while `look` is false: cheaper than to sleep as long as our own threads want this core. Gives up when
/// nobody does, or when others take long turns: then who sleeps is served sooner.
pub(crate) fn give_way(look: impl Fn() -> bool) -> bool {
    take_turns(look).found
}

/// As [`give_way`], and tells how it went.
pub(crate) fn take_turns(look: impl Fn() -> bool) -> Turns {
    stop::ring_downstream();
    take_quiet_turns(look)
}

/// As [`take_turns`]; a consumer who naps sleeps on.
pub(crate) fn take_quiet_turns(look: impl Fn() -> bool) -> Turns {
    let began = Instant::now();
    let mut turns = Turns { found: false, began, ended: began, alone: Duration::ZERO };
    if !CLOCK || TAKEN.with(|taken| taken.get().is_some_and(|then| began - then < MEMORY)) {
        turns.found = look();
        return turns;
    }
    let mut alone = 0;
    loop {
        turns.found = look();
        if turns.found || alone >= TURNS {
            return turns;
        }
        yield_now();
        let now = Instant::now();
        let turn = now - turns.ended;
        turns.ended = now;
        if turn < ALONE {
            alone += 1;
            turns.alone += turn;
        } else if turn > NAP {
            TAKEN.with(|taken| taken.set(Some(now)));
            break;
        } else if now - began < NAP {
            alone = 0;
        } else {
            break;
        }
    }
    turns.found = look();
    turns
}
