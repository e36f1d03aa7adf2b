//! Side by side: every contestant once a round, medians over the rounds, a table.

use crate::options::Options;
use crate::{table, usage};
use std::fmt;
use std::time::{Duration, Instant};

/// A round in which others used more of our CPUs than this (1 is one CPU) is run again.
const DISTURBED: f64 = 0.06;

/// What a contestant is in its race.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// tinypl: the targets are its.
    Ours,
    /// Does the same job.
    Peer,
    /// Does less (nobody receives the items one by one, or memory grows with their number): a
    /// mark to measure by.
    Mark,
}

/// What tinypl should reach.
#[derive(Debug, Clone, Copy)]
pub enum Target {
    /// At most so many nanoseconds an item.
    Nanoseconds(f64),
    /// At most so many times what the named contestant needs.
    AtMost(f64, &'static str),
    /// At least so many times as fast as the named contestant.
    Faster(f64, &'static str),
}

/// What one run of a contestant gave.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    /// Of its results.
    pub digest: u64,
    /// By the clock.
    pub seconds: f64,
    /// CPU time, of its worker processes too.
    pub cpu: f64,
}

impl Run {
    fn measure(run: impl FnOnce() -> u64) -> Self {
        let (cpu, start) = (usage::cpu_seconds(), Instant::now());
        let digest = run();
        Self { digest, seconds: start.elapsed().as_secs_f64(), cpu: usage::cpu_seconds() - cpu }
    }
}

struct Contestant<'a> {
    name: &'static str,
    role: Role,
    run: Box<dyn Fn(u64) -> Run + 'a>,
    expected: Box<dyn Fn(u64) -> u64 + 'a>,
}

/// Contestants for one table.
#[must_use]
pub struct Race<'a> {
    title: String,
    contestants: Vec<Contestant<'a>>,
    targets: Vec<Target>,
    at_least: u64,
    longer: u32,
}

impl fmt::Debug for Race<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.contestants.iter().map(|c| c.name).collect();
        f.debug_struct("Race")
            .field("title", &self.title)
            .field("contestants", &names)
            .field("targets", &self.targets)
            .finish()
    }
}

#[derive(Clone, Copy)]
struct Sample {
    nanoseconds: f64,
    cpu: f64,
}

struct Round {
    foreign: f64,
    core_to_core: f64,
    samples: Vec<Sample>,
}

impl<'a> Race<'a> {
    /// A race that nobody joined yet.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), contestants: Vec::new(), targets: Vec::new(), at_least: 256, longer: 1 }
    }

    /// How many items a run has at least (256, if not said): fewer where one takes long.
    pub fn at_least(mut self, items: u64) -> Self {
        self.at_least = items;
        self
    }

    /// How many times longer than others a run takes: where to start and to end is much of it.
    pub fn longer(mut self, times: u32) -> Self {
        self.longer = times;
        self
    }

    /// Adds a contestant: `run(n)` passes `n` items through and gives a digest of the results,
    /// which has to be `expected(n)`.
    pub fn add(
        self,
        role: Role,
        name: &'static str,
        expected: impl Fn(u64) -> u64 + 'a,
        run: impl Fn(u64) -> u64 + 'a,
    ) -> Self {
        self.add_timed(role, name, expected, move |n| Run::measure(|| run(n)))
    }

    /// Adds a contestant that looks at the clock itself; as [`add`](Self::add) otherwise.
    pub fn add_timed(
        mut self,
        role: Role,
        name: &'static str,
        expected: impl Fn(u64) -> u64 + 'a,
        run: impl Fn(u64) -> Run + 'a,
    ) -> Self {
        let (run, expected) = (Box::new(run), Box::new(expected));
        self.contestants.push(Contestant { name, role, run, expected });
        self
    }

    /// Adds what each contestant of ours should reach.
    pub fn target(mut self, target: Target) -> Self {
        self.targets.push(target);
        self
    }

    /// Runs the race and prints its table, if its title was asked for.
    ///
    /// # Panics
    ///
    /// If a contestant's results are wrong.
    pub fn run(self, options: &Options) {
        if !options.wants(&self.title) {
            return;
        }
        let run_time = if options.quick() { options.run_time() } else { options.run_time() * self.longer };
        let sizes: Vec<u64> = self.contestants.iter().map(|c| c.size(self.at_least, run_time)).collect();
        let expected: Vec<u64> = self.contestants.iter().zip(&sizes).map(|(c, &n)| (c.expected)(n)).collect();
        let (wanted, mut rounds) = (options.rounds(), Vec::new());
        // Bounded: on a machine that is never quiet the table says so instead.
        for attempt in 0..3 * wanted {
            let round = self.round(attempt, &sizes, &expected);
            if round.foreign > DISTURBED {
                std::thread::sleep(Duration::from_millis(200));
            }
            rounds.push(round);
            if rounds.iter().filter(|round| round.foreign <= DISTURBED).count() == wanted {
                break;
            }
        }
        let repeated = rounds.len() - wanted.min(rounds.len());
        rounds.sort_by(|a, b| a.foreign.total_cmp(&b.foreign));
        rounds.truncate(wanted);
        self.print(options, &rounds, repeated);
    }

    /// Every contestant once, each round another one first.
    fn round(&self, attempt: usize, sizes: &[u64], expected: &[u64]) -> Round {
        let count = self.contestants.len();
        let core_to_core = usage::core_to_core();
        let mut samples = vec![Sample { nanoseconds: 0.0, cpu: 0.0 }; count];
        let (busy, cpu, start) = (usage::busy_seconds(), usage::cpu_seconds(), Instant::now());
        for k in (0..count).map(|k| (k + attempt) % count) {
            let run = (self.contestants[k].run)(sizes[k]);
            assert_eq!(run.digest, expected[k], "wrong results: {}", self.contestants[k].name);
            let per_item = |seconds: f64| seconds * 1e9 / sizes[k] as f64;
            samples[k] = Sample { nanoseconds: per_item(run.seconds), cpu: per_item(run.cpu) };
        }
        let (busy, cpu) = (usage::busy_seconds() - busy, usage::cpu_seconds() - cpu);
        // The kernel counts what was busy in ticks: let a few of them be an error of rounding.
        let foreign = (busy - cpu - 0.03).max(0.0) / start.elapsed().as_secs_f64();
        Round { foreign, core_to_core, samples }
    }

    fn print(&self, options: &Options, rounds: &[Round], repeated: usize) {
        let figure = |k: usize, of: fn(&Sample) -> f64| sorted(rounds.iter().map(|round| of(&round.samples[k])));
        // Ratios within a round: both ran while the machine was in the same mood.
        let ratio = |k: usize, to: usize| {
            let in_round = |r: &Round| r.samples[k].nanoseconds / r.samples[to].nanoseconds;
            median(&sorted(rounds.iter().map(in_round)))
        };
        let time = |k: usize| figure(k, |s| s.nanoseconds);
        let of_role = |role| (0..self.contestants.len()).filter(move |&k| self.contestants[k].role == role);
        let best = of_role(Role::Peer).min_by(|&a, &b| median(&time(a)).total_cmp(&median(&time(b))));
        let mut rows = Vec::new();
        for (k, contestant) in self.contestants.iter().enumerate() {
            let times = time(k);
            let name = match contestant.role {
                Role::Ours => format!("**{}**", contestant.name),
                Role::Peer => contestant.name.into(),
                Role::Mark => format!("({})", contestant.name),
            };
            rows.push(vec![
                name,
                number(median(&times)),
                format!("{}–{}", number(quantile(&times, 0.25)), number(quantile(&times, 0.75))),
                number(median(&figure(k, |s| s.cpu))),
                best.map_or(String::new(), |best| format!("{:.2}", ratio(k, best))),
                String::new(),
            ]);
        }
        for ours in of_role(Role::Ours) {
            for target in &self.targets {
                let against = |name: &str| {
                    let found = self.contestants.iter().position(|c| c.name == name);
                    found.unwrap_or_else(|| panic!("no contestant {name}"))
                };
                let (text, reached, met) = match *target {
                    Target::Nanoseconds(most) => {
                        let time = median(&time(ours));
                        (format!("≤ {} an item", length(most)), length(time), time <= most)
                    }
                    Target::AtMost(most, name) => {
                        let ratio = ratio(ours, against(name));
                        (format!("≤ {most} × {name}"), format!("{ratio:.3} ×"), ratio <= most)
                    }
                    Target::Faster(least, name) => {
                        let ratio = ratio(against(name), ours);
                        (format!("≥ {least} × as fast as {name}"), format!("{} ×", number(ratio)), ratio >= least)
                    }
                };
                let name = self.contestants[ours].name;
                let mut row = vec![format!("target, {name}: {text}"), reached];
                row.resize(5, String::new());
                row.push(options.verdict(met));
                rows.push(row);
            }
        }
        let head = ["contestant", "ns/item", "quartiles", "cpu ns/item", "× best peer", "target"];
        table::print(&self.title, &head, &rows);
        let noisy = rounds.iter().filter(|round| round.foreign > DISTURBED).count();
        print!("{} rounds", rounds.len());
        if repeated > 0 {
            print!(", {repeated} more left out that other processes disturbed");
        }
        if noisy > 0 {
            print!("; {noisy} OF THOSE COUNTED WERE DISTURBED: run it again on a quiet machine");
        }
        let crossing = sorted(rounds.iter().map(|round| round.core_to_core));
        let (low, high) = (quantile(&crossing, 0.0), quantile(&crossing, 1.0));
        let middle = median(&crossing);
        println!("; from core to core took {middle:.0} ns ({low:.0}–{high:.0})\n");
    }
}

impl Contestant<'_> {
    /// How many items take about `run_time`; warms the contestant up on the way.
    fn size(&self, at_least: u64, run_time: Duration) -> u64 {
        let run_time = run_time.as_secs_f64();
        let mut n = at_least;
        loop {
            let took = std::hint::black_box((self.run)(n)).seconds;
            let scaled = ((n as f64 * run_time / took) as u64).max(at_least);
            // Half of it at least: a start that took long once is not to be taken for the items' time.
            if took * 2.0 >= run_time {
                return scaled;
            }
            n = scaled.clamp(2 * n, 16 * n);
        }
    }
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

fn median(sorted: &[f64]) -> f64 {
    quantile(sorted, 0.5)
}

/// Between the two nearest values in proportion.
fn quantile(sorted: &[f64], part: f64) -> f64 {
    let place = part * (sorted.len() - 1) as f64;
    let (low, high) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    low + (high - low) * place.fract()
}

/// A time, in a unit that suits it.
fn length(nanoseconds: f64) -> String {
    if nanoseconds < 1e6 { format!("{} ns", number(nanoseconds)) } else { format!("{} ms", number(nanoseconds / 1e6)) }
}

/// Three digits or so.
fn number(x: f64) -> String {
    match x {
        x if x < 10.0 => format!("{x:.2}"),
        x if x < 1000.0 => format!("{x:.1}"),
        _ => format!("{x:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_neighbours() {
        let values = sorted([4.0, 1.0, 3.0, 2.0].into_iter());
        assert!((median(&values) - 2.5).abs() < 1e-12);
        assert!((quantile(&values, 0.25) - 1.75).abs() < 1e-12);
        assert!((quantile(&values, 1.0) - 4.0).abs() < 1e-12);
    }

    #[test]
    #[should_panic(expected = "wrong results: cheat")]
    fn a_contestant_cannot_skip_items() {
        let race = Race::new("").add(Role::Peer, "cheat", |n| n, |n| n - 1);
        race.round(0, &[10], &[10]);
    }
}
