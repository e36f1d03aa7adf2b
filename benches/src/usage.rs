//! What the process and the machine use: CPU time, memory, switches between threads.

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use rustix::thread::CpuSet;
use rustix::time::{ClockId, clock_gettime};
use std::fs;
use std::hint::spin_loop;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// CPU seconds of this process, all of its threads together, and of its children that have ended.
///
/// # Panics
///
/// Where the kernel does not tell.
#[must_use]
pub fn cpu_seconds() -> f64 {
    let own = clock_gettime(ClockId::ProcessCPUTime);
    let children = getrusage(UsageWho::RUSAGE_CHILDREN).expect("getrusage");
    let children = children.user_time() + children.system_time();
    own.tv_sec as f64 + own.tv_nsec as f64 * 1e-9 + children.num_microseconds() as f64 * 1e-6
}

/// Bytes of this process that are in memory.
///
/// # Panics
///
/// Where `/proc` does not tell.
#[must_use]
pub fn resident_bytes() -> u64 {
    let statm = fs::read_to_string("/proc/self/statm").expect("/proc/self/statm");
    let pages = statm.split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok());
    pages.expect("pages in /proc/self/statm") * rustix::param::page_size() as u64
}

/// How often the threads that are alive now, the calling one left out, went to sleep so far.
///
/// # Panics
///
/// Where `/proc` does not tell.
#[must_use]
pub fn sleeps() -> u64 {
    let tasks = fs::read_dir("/proc/self/task").expect("/proc/self/task");
    let of_task = |status: String| {
        let line = status.lines().find_map(|l| l.strip_prefix("voluntary_ctxt_switches:"))?;
        line.trim().parse::<u64>().ok()
    };
    let own = rustix::thread::gettid().as_raw_nonzero().to_string();
    tasks
        .flatten()
        .filter(|task| task.file_name() != own.as_str())
        .filter_map(|task| fs::read_to_string(task.path().join("status")).ok())
        .filter_map(of_task)
        .sum()
}

/// Keeps this thread, and those that it starts, to `count` CPUs; says how many it has.
pub(crate) fn keep_to_cpus(count: usize) -> usize {
    let Ok(may) = rustix::thread::sched_getaffinity(None) else {
        return std::thread::available_parallelism().map_or(1, usize::from);
    };
    let mut keep = CpuSet::new();
    for cpu in (0..CpuSet::MAX_CPU).filter(|&cpu| may.is_set(cpu)).take(count) {
        keep.set(cpu);
    }
    // Refused, we run on more CPUs than we wanted, which the peers may use as well as we.
    let _ = rustix::thread::sched_setaffinity(None, &keep);
    keep.count() as usize
}

/// Seconds that our CPUs were not idle, whoever used them, the host included.
pub(crate) fn busy_seconds() -> f64 {
    let ours = rustix::thread::sched_getaffinity(None).ok();
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    let ticks: u64 = stat
        .lines()
        .filter_map(|line| {
            let (cpu, rest) = line.strip_prefix("cpu")?.split_once(' ')?;
            let cpu = cpu.parse::<usize>().ok()?;
            if ours.is_some_and(|set| !set.is_set(cpu)) {
                return None;
            }
            // user nice system idle iowait irq softirq steal
            let times = rest.split_whitespace().take(8).enumerate();
            Some(times.filter(|(k, _)| *k != 3 && *k != 4).filter_map(|(_, t)| t.parse::<u64>().ok()).sum::<u64>())
        })
        .sum();
    ticks as f64 / rustix::param::clock_ticks_per_second() as f64
}

/// Nanoseconds for a cache line to go from one CPU to the other, now.
///
/// On a virtual machine the host moves CPUs about, and this changes several times over; with it
/// changes whatever passes items between threads.
pub(crate) fn core_to_core() -> f64 {
    const MOST: Duration = Duration::from_millis(20);
    let (ball, over) = (AtomicU64::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        // Odd is for the partner to return, even for us. The ball is all that passes between the
        // two, and nothing hangs on what either wrote before: relaxed will do.
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                let seen = ball.load(Ordering::Relaxed);
                if seen % 2 == 1 {
                    ball.store(seen + 1, Ordering::Relaxed);
                }
                spin_loop();
            }
        });
        let mut throws = 0;
        let mut start = Instant::now();
        // The partner's start does not count; where the two share a CPU, time ends the game.
        let until = start + MOST;
        while throws < 4000 && Instant::now() < until {
            if throws == 1 {
                start = Instant::now();
            }
            throws += 1;
            ball.store(2 * throws - 1, Ordering::Relaxed);
            while ball.load(Ordering::Relaxed) < 2 * throws && Instant::now() < until {
                spin_loop();
            }
        }
        let took = start.elapsed();
        over.store(true, Ordering::Relaxed);
        took.as_nanos() as f64 / (2 * throws.max(2) - 2) as f64
    })
}
