//! Process stages, as far as they differ from thread stages; what is common to both is in `conformance.rs`.
use serde::ser::SerializeTuple;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::cell::Cell;
use std::marker::PhantomData;
use std::process::id;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::mpsc;
use std::time::Duration;
use tinypl::process::OnDeath;
use tinypl::{Pipe, Pipeline, map, map_mut, pipeline, process, source};
use tinypl_tests::{Deed, Errand, Scratch, Traveller, linger, note, runs_of, wait_until, watchdog};
use tinypl_tests_renamed::{sum_of, thirds};

const HOUR: Duration = Duration::from_secs(3600);

fn sorted<T: Ord>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut all: Vec<T> = items.collect();
    all.sort_unstable();
    all
}

mod functions {
    use super::*;

    #[test]
    fn run_in_processes_of_their_own() {
        let _watchdog = watchdog(300);
        let mut pids: Vec<u32> = pipeline! { range(100) |> process::map(|_| id(), workers = 3) |> collect() };
        pids.sort_unstable();
        pids.dedup();
        assert!((1..=3).contains(&pids.len()) && !pids.contains(&id()), "{pids:?}");
    }

    #[test]
    fn find_fresh_statics() {
        let _watchdog = watchdog(300);
        static CALLS: AtomicU32 = AtomicU32::new(7);
        CALLS.store(100, SeqCst);
        let counts: Vec<u32> =
            pipeline! { range(3) |> process::map(|_| CALLS.fetch_add(1, SeqCst), workers = 1) |> collect() };
        assert_eq!((counts, CALLS.load(SeqCst)), (vec![7, 8, 9], 100));
    }

    #[test]
    fn get_a_context() {
        let _watchdog = watchdog(300);
        let table: Vec<String> = ["zero", "one", "two"].map(String::from).into();
        let words = pipeline! { [2, 0] |> process::map_with(table.clone(), |table, i| table[i].len(), workers = 2) };
        assert_eq!(sorted(words), [3, 4]);
        let by = |factor: i64| pipeline! { range(10_i64) |> process::map_with(factor, |k, x| *k * x, 2) };
        assert_eq!((by(2).sum::<i64>(), by(3).sum::<i64>()), (90, 135));
        let two =
            pipeline! { [1, 2] |> process::map_with((1, "b".to_owned()), |(a, b), x| (a + x, b.len()), workers = 1) };
        assert_eq!(two.collect::<Vec<_>>(), [(2, 1), (3, 1)]);
        fn scaled(by: &f64, x: f64) -> f64 {
            by * x
        }
        assert_eq!(pipeline! { [1.5] |> process::map_with(2.0, scaled, workers = 1) |> collect::<Vec<_>>() }, [3.0]);
    }

    /// However many items there are: it may be large.
    #[test]
    fn get_a_context_that_travels_once() {
        let _watchdog = watchdog(300);
        let (feed, numbers) = mpsc::channel();
        pipeline! { let pipe = numbers |> p @ process::map_with(Traveller, |_, _: u8| Traveller::arrived(), workers = 3); }
        // no item before: who is ready first could be done with all
        wait_until(|| p.workers() == 3);
        (0..50).for_each(|n| feed.send(n).unwrap());
        drop(feed);
        assert_eq!(pipe.collect::<Vec<_>>(), [1; 50]);
        assert_eq!((Traveller::sent(), Traveller::arrived()), (1, 0));
    }

    #[test]
    fn make_a_state_that_need_not_travel() {
        let _watchdog = watchdog(300);
        let counts = pipeline! {
            range(4) |> process::map_init(|| std::rc::Rc::new(Cell::new(10)), |n, x| { n.set(n.get() + x); n.get() }, workers = 1)
        };
        assert_eq!(counts.collect::<Vec<_>>(), [10, 11, 13, 16]);
    }

    #[test]
    fn may_use_processes_themselves() {
        let _watchdog = watchdog(300);
        let sums = pipeline! {
            range(4_u64) |> process::map(|n| pipeline! { range(n) |> process::map(|x| x + 1, 2) |> fold(0, |a, b| a + b) }, 2)
        };
        assert_eq!(sorted(sums), [0, 1, 3, 6]);
    }

    #[test]
    fn of_a_generic_function() {
        fn lengths<T: Serialize + serde::de::DeserializeOwned + ToString + Send + 'static>(
            items: Vec<T>,
        ) -> Vec<usize> {
            pipeline! { items |> o @ order::save(4) |> process::map(|x| x.to_string().len(), workers = 2) |> order::load(o) |> collect() }
        }
        let _watchdog = watchdog(300);
        assert_eq!(lengths(vec![1, 10, 100]), [1, 2, 3]);
        assert_eq!(lengths(vec!["ab".to_owned()]), [2]);
    }
}

mod what_stands_above {
    use super::*;

    #[test]
    fn may_be_a_closure_that_changes_what_it_captured() {
        let _watchdog = watchdog(300);
        let (mut n, mut seen) = (0, Vec::new());
        let sums: Vec<i32> = pipeline! {
            range(5) |> map(move |x| { n += x; n }) |> filter(move |x| { seen.push(*x); seen.len() > 1 })
                |> m @ marker::insert_periodic(2) |> o @ order::save(2) |> process::map(|x| 10 * x, workers = 2) |> order::load(o)
                |> marker::on(|| (), m) |> collect()
        };
        assert_eq!(sums, [10, 30, 60, 100]);
    }

    #[test]
    fn is_pulled_by_one_thread_and_need_not_be_sync() {
        let _watchdog = watchdog(300);
        let calls = Cell::new(0);
        let counted = (0..5).inspect(move |_| calls.set(calls.get() + 1));
        assert_eq!(pipeline! { counted |> process::map(|x| x + 1, workers = 2) |> fold(0, |a, b| a + b) }, 15);
        let calls = Cell::new(0);
        let sum = pipeline! {
            range(5) |> map(move |x| { calls.set(calls.get() + 1); x + calls.get() }) |> process::map(|x| x, workers = 2)
                |> fold(0, |a, b| a + b)
        };
        assert_eq!(sum, 25);
    }

    /// Its items are serialised where they are pulled.
    #[test]
    fn may_give_items_that_are_not_send() {
        struct Local(i32, PhantomData<*const ()>);

        impl Serialize for Local {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut tuple = serializer.serialize_tuple(1)?;
                tuple.serialize_element(&self.0)?;
                tuple.end()
            }
        }

        impl<'de> Deserialize<'de> for Local {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                <(i32,)>::deserialize(deserializer).map(|(n,)| Local(n, PhantomData))
            }
        }

        let _watchdog = watchdog(300);
        let all =
            pipeline! { range(3) |> map(|n| Local(n, PhantomData)) |> process::map(|local| local.0 + 1, workers = 2) };
        assert_eq!(sorted(all), [1, 2, 3]);
    }

    #[test]
    fn may_be_a_pipeline_of_another_block() {
        let _watchdog = watchdog(300);
        let mut n = 0;
        let numbers = pipeline! { range(5) |> map(move |x| { n += 1; x + n }) };
        let pipe = pipeline! { numbers |> process::map(|x| x, workers = 2) };
        assert_eq!(sorted(pipe), [1, 3, 5, 7, 9]);
    }
}

mod options {
    use super::*;

    #[test]
    fn all_of_them() {
        let _watchdog = watchdog(300);
        let all = std::thread::scope(|s| {
            pipeline! {
                range(20) |> process::map(
                    |x| x + 1, workers = 2, maxsize = 4, input_maxsize = 3, start_timeout = HOUR, end_timeout = HOUR,
                    item_timeout = HOUR, warn_timeout = HOUR, on_worker_error = forward, on_death = retry(2), scope = s,
                ) |> collect::<Vec<_>>()
            }
        });
        assert_eq!(sorted(all.into_iter()), (1..=20).collect::<Vec<_>>());
        let n = pipeline! { range(9) |> process::each(|_| (), 1, 2, 3, HOUR, HOUR, HOUR, HOUR, exit, fail) |> count() };
        assert_eq!(n, 9);
    }

    /// The source is pulled for the item that the worker is at, and for those that may wait; there would be room for many results.
    #[test]
    fn input_maxsize_bounds_what_waits_for_a_worker() {
        let _watchdog = watchdog(300);
        let scratch = Scratch::new();
        let dir = scratch.dir();
        let pulled = AtomicU32::new(0);
        std::thread::scope(|s| {
            let errands = (0..9).map(|n| {
                pulled.fetch_add(1, SeqCst);
                Errand::always(&dir, n, Deed::Wait)
            });
            pipeline! {
                let pipe = errands
                    |> p @ process::map(|errand| errand.run(), workers = 1, maxsize = 100, input_maxsize = 2, scope = s);
            }
            wait_until(|| runs_of(&dir, 0).len() == 1 && pulled.load(SeqCst) == 3 && p.input_fill() == 2);
            linger();
            assert_eq!((pulled.load(SeqCst), p.input_fill(), p.fill()), (3, 2, 0));
            note(&dir, "go", "");
            assert_eq!(sorted(pipe), (0..9).collect::<Vec<_>>());
        });
    }

    #[test]
    fn each_word_of_on_death() {
        let _watchdog = watchdog(300);
        let odd = |x: &i32| x % 2 == 1;
        let left = pipeline! { range(9) |> process::map(|x| if x == 3 { std::process::abort() } else { x }, 2, on_death = skip) };
        assert_eq!(sorted(left), [0, 1, 2, 4, 5, 6, 7, 8]);
        let mut failing =
            pipeline! { range(1) |> process::map(|_| -> i32 { std::process::abort() }, 1, on_death = fail) };
        assert_eq!(failing.try_next().unwrap_err().stage(), Some("process::map"));
        let mut retried =
            pipeline! { range(1) |> process::map(|_| -> i32 { std::process::abort() }, 1, on_death = retry(n = 1)) };
        let error = retried.try_next().unwrap_err().to_string();
        assert!(error.contains("this happened 2 times, `on_death = retry(1)`"), "{error}");
        assert_eq!(
            pipeline! { range(9) |> filter(odd) |> process::map(|x| x, 2, on_death = retry(1 + 2),) |> count() },
            4
        );
    }

    #[test]
    fn parentheses_make_a_word_a_rust_value() {
        let _watchdog = watchdog(300);
        fn retry(n: u32) -> OnDeath {
            assert_eq!(n, 9);
            OnDeath::Skip
        }
        let policy = OnDeath::Retry(2);
        assert_eq!(pipeline! { range(3) |> process::map(|x| x, 1, on_death = policy) |> count() }, 3);
        assert_eq!(pipeline! { range(3) |> process::map(|x| x, 1, on_death = OnDeath::Retry(2)) |> count() }, 3);
        let died = |x| if x == 1 { std::process::abort() } else { x };
        assert_eq!(pipeline! { range(3) |> process::map(died, 1, on_death = (retry(9))) |> count() }, 2);
        let skip = "a variable that is not meant";
        assert_eq!(pipeline! { range(3) |> process::map(died, 1, on_death = skip) |> count() }, 2);
        assert_eq!(skip.len(), 28);
    }

    #[test]
    fn words_come_from_a_macro() {
        macro_rules! with {
            ($policy:expr, $n:expr) => {
                pipeline! { range($n) |> process::map(|x| x + 1, workers = 1, on_death = $policy) |> count() }
            };
            (retry $n:expr) => {
                pipeline! { range(2) |> process::map(|x| x + 1, workers = 1, on_death = retry($n)) |> count() }
            };
        }
        let _watchdog = watchdog(300);
        assert_eq!((with!(retry(2), 3), with!(skip, 4), with!(retry 5)), (3, 4, 2));
        assert_eq!(with!((OnDeath::Fail), 3), 3);
    }
}

mod handles {
    use super::*;

    #[test]
    fn have_the_live_figures() {
        let _watchdog = watchdog(300);
        pipeline! { let mut pipe = 0.. |> p @ process::map(|x| x, workers = 2, maxsize = 4); }
        wait_until(|| p.workers() == 2 && p.fill() == 4);
        let pids = p.pids();
        assert!(pids.len() == 2 && !pids.contains(&id()), "{pids:?}");
        assert!(p.input_fill() <= 6, "{}", p.input_fill());
        assert_eq!((p.maxsize(), p.restarts()), (4, 0));
        assert!(pipe.next().is_some());
        let kept = p.clone();
        drop(pipe);
        assert_eq!((kept.workers(), kept.fill(), kept.input_fill(), kept.pids()), (0, 0, 0, vec![]));
    }

    #[test]
    fn of_each_process_stage() {
        let _watchdog = watchdog(300);
        pipeline! {
            let pipe = range(10) |> a @ process::map(|x| x, 1, 2) |> b @ process::each(|_| (), 1, 4)
                |> c @ process::map_with((), |(), x| x, 1, 6) |> d @ process::map_init(|| (), |(), x| x, 1, 8);
        }
        assert_eq!([a.maxsize(), b.maxsize(), c.maxsize(), d.maxsize()], [2, 4, 6, 8]);
        assert_eq!(pipe.count(), 10);
        assert_eq!([a.workers(), b.workers(), c.workers(), d.workers()], [0; 4]);
    }

    #[test]
    fn are_seen_below_their_stage() {
        let _watchdog = watchdog(300);
        let most: usize = pipeline! {
            range(100) |> p @ process::map(|x| x, workers = 2, maxsize = 4) |> map(|_| p.fill()) |> fold(0, |a, b| a.max(b))
        };
        assert!(most <= 4);
    }
}

mod elsewhere {
    use super::*;

    #[test]
    fn in_macros() {
        macro_rules! mapped {
            ($source:expr, $f:expr, $workers:literal) => {
                pipeline! { $source |> process::map($f, workers = $workers) |> fold(0, |a, b| a + b) }
            };
        }
        macro_rules! with {
            ($context:expr, $name:ident) => {
                pipeline! { range(4) |> $name @ process::map_with($context, |c, x| c + x, 2) |> each(|_| assert!($name.fill() < 99))
                    |> fold(0, |a, b| a + b) }
            };
        }
        macro_rules! whole {
            ($($tokens:tt)*) => { pipeline! { $($tokens)* } };
        }
        let _watchdog = watchdog(300);
        assert_eq!(mapped!(1..4, |x| x + 1, 2), 9);
        assert_eq!(mapped!([1], (|x: i32| x + 1), 2), 2);
        let ten = 10;
        assert_eq!(with!(ten, p), 46);
        let init = whole! { range(4) |> process::map_init(|| 1, |n, x| { *n += 1; *n + x }, workers = 1) |> collect::<Vec<_>>() };
        assert_eq!(init, [2, 4, 6, 8]);
    }

    #[test]
    fn under_another_name() {
        let _watchdog = watchdog(300);
        assert_eq!(thirds(7), [0, 1, 2]);
        assert_eq!(sum_of!(range(3) |> process::map_with(10, |by, x| by * x, workers = 1, on_death = retry(1))), 30);
    }

    #[test]
    fn by_hand() {
        let _watchdog = watchdog(300);
        fn tens<P: Pipe<Item = i32> + Send + 'static>(up: P) -> impl Pipe<Item = i32> {
            process::map_with(up, 10, |by, x| by * x).workers(1).on_death(OnDeath::Retry(1)).maxsize(2)
        }
        let mut n = 0;
        let up = map_mut(source(0..5), move |x| {
            n += x;
            n
        });
        let pipe = Pipeline::new(process::each(map(tens(up), |x| x + 1), |x| assert!(*x > 0)).workers(2));
        assert_eq!(sorted(pipe), [1, 11, 31, 61, 101]);
        assert_eq!(sorted(pipeline! { range(3) |> tens() }), [0, 10, 20]);
    }

    #[test]
    fn beside_the_users_own_names() {
        let _watchdog = watchdog(300);
        mod serde {}
        mod process {}
        let (f, up, context, init, item) = (1, 2, 3, 4, 5);
        let all = pipeline! {
            range(2) |> process::map_with((f, up), |(a, b), x| a + b + x, 1) |> process::map_init(|| 4, |init, x| *init + x, 1)
                |> map(|x| x + context + init + item)
        };
        assert_eq!(sorted(all), [19, 20]);
    }
}
