//! `ratelimit(num, period)`.
use std::time::{Duration, Instant};
use tinypl::pipeline;
use tinypl_tests::{signals, watchdog};

/// From just before the consumer asked for an item to when the source was pulled for it.
struct Pull {
    asked: Instant,
    pulled: Instant,
}

/// Any `num + 1` pulls in a row take at least `period`, any `2 * num + 1` at least twice that, ...
///
/// A pull's place in the log was taken between `asked` and `pulled`: compared from one to the other the bound is sure,
/// however the machine delays this thread.
fn assert_bound(pulls: &[Pull], num: usize, period: Duration) {
    for i in 0..pulls.len() {
        for j in i + num..pulls.len() {
            let least = period * u32::try_from((j - i) / num).unwrap();
            let took = pulls[j].pulled - pulls[i].asked;
            assert!(took >= least, "pulls {i} to {j} took {took:?}, less than {least:?}");
        }
    }
}

/// `n` pulls from a source behind a limit; `before` runs before the `k`th is asked for.
fn pulls(num: usize, period: Duration, n: usize, mut before: impl FnMut(usize)) -> Vec<Pull> {
    let (sender, receiver) = std::sync::mpsc::channel();
    let source = std::iter::repeat_with(|| sender.send(Instant::now()).unwrap());
    let mut limited = pipeline! { source |> ratelimit(num, period) };
    (0..n)
        .map(|k| {
            before(k);
            let asked = Instant::now();
            assert_eq!(limited.next(), Some(()));
            Pull { asked, pulled: receiver.recv().unwrap() }
        })
        .collect()
}

#[test]
fn at_most_num_pulls_in_any_period() {
    let _watchdog = watchdog(60);
    for (num, n) in [(1, 8), (3, 20), (7, 40)] {
        let period = Duration::from_millis(15);
        assert_bound(&pulls(num, period, n, |_| ()), num, period);
    }
}

#[test]
fn a_burst_at_the_end_of_a_period_counts_in_the_next_one() {
    let _watchdog = watchdog(60);
    let period = Duration::from_millis(40);
    // a counter that starts anew with each period would let 2 * num - 1 of these through at once
    let burst = pulls(5, period, 15, |k| {
        if k == 1 {
            std::thread::sleep(period.mul_f64(0.9));
        }
    });
    assert_bound(&burst, 5, period);
}

#[test]
fn a_pause_earns_no_more_than_num() {
    let _watchdog = watchdog(60);
    let period = Duration::from_millis(10);
    let after_a_pause = pulls(2, period, 9, |k| {
        if k == 3 {
            std::thread::sleep(5 * period);
        }
    });
    assert_bound(&after_a_pause, 2, period);
}

#[test]
fn all_who_pull_are_under_one_limit() {
    let _watchdog = watchdog(60);
    let period = Duration::from_millis(20);
    let began = Instant::now();
    assert_eq!(pipeline! { range(9) |> ratelimit(2, period) |> thread::map(|x| x, workers = 4) |> count() }, 9);
    assert!(began.elapsed() >= 4 * period);
}

#[test]
fn the_first_num_pulls_need_not_wait() {
    let _watchdog = watchdog(60);
    // were any of them to wait, it would be for a year
    let all: Vec<i32> = pipeline! { range(5) |> ratelimit(5, Duration::from_secs(31_536_000)) |> take(5) |> collect() };
    assert_eq!(all, [0, 1, 2, 3, 4]);
}

#[test]
fn a_period_of_zero_is_no_limit() {
    let _watchdog = watchdog(60);
    assert_eq!(pipeline! { range(1000) |> ratelimit(1, Duration::ZERO) |> count() }, 1000);
}

#[test]
fn items_and_markers_pass() {
    let limited = pipeline! { range(4) |> marker::insert_periodic(2) |> ratelimit(100, Duration::from_millis(1)) };
    assert_eq!(signals(limited), "0 1 * 2 3 *");
}

#[test]
fn the_handle_tells_when_the_next_place_is_free() {
    let _watchdog = watchdog(60);
    let year = Duration::from_secs(31_536_000);
    pipeline! { let mut limited = range(9) |> r @ ratelimit(3, year); }
    assert_eq!(r.time_to_next_drop(), Duration::ZERO);
    assert_eq!(limited.next(), Some(0));
    let first = r.time_to_next_drop();
    assert!(first > Duration::ZERO && first <= year, "{first:?}");
    // the oldest one decides
    assert_eq!(limited.next(), Some(1));
    assert!(r.time_to_next_drop() <= first);
}

#[test]
fn the_handle_counts_down_to_zero() {
    let _watchdog = watchdog(60);
    pipeline! { let mut limited = range(9) |> r @ ratelimit(1, Duration::from_millis(5)); }
    assert_eq!(limited.next(), Some(0));
    while r.time_to_next_drop() > Duration::ZERO {
        std::thread::yield_now();
    }
    assert_eq!(limited.next(), Some(1));
}

#[test]
fn the_size_hint_is_the_upstreams() {
    assert_eq!(pipeline! { range(9) |> ratelimit(1, Duration::ZERO) }.size_hint(), (9, Some(9)));
}
