//! What ends a pipeline early, and what it says: the message, the stage, the place, the item.
use std::error::Error as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use tinypl::{Error, Given, Locked, Pipe, Pipeline, Serial, Signal, Upstream, pipeline, stage};
use tinypl_tests::watchdog;

/// The first error of a pipeline.
fn error_of<P: Pipe>(mut pipe: Pipeline<P>) -> Error {
    loop {
        match pipe.try_next() {
            Ok(Some(_)) => {}
            Ok(None) => panic!("it ended without an error"),
            Err(error) => return error,
        }
    }
}

/// The text that `f` panics with.
fn panic_of<R>(f: impl FnOnce() -> R) -> String {
    let Err(payload) = catch_unwind(AssertUnwindSafe(f)) else { panic!("it did not panic") };
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => (*payload.downcast::<&str>().unwrap()).to_owned(),
    }
}

fn below<const N: i32>(x: i32) -> Result<i32, String> {
    if x < N { Ok(x) } else { Err(format!("{x} is too large")) }
}

fn boom_at<const N: i32>(x: &i32) {
    assert!(*x != N, "boom at {x}");
}

fn line(error: &Error) -> u32 {
    assert_eq!(error.location().unwrap().file(), file!());
    error.location().unwrap().line()
}

/// Message, stage, item.
fn facts(error: &Error) -> (&str, Option<&str>, Option<u64>) {
    (error.message(), error.stage(), error.item())
}

mod what_it_says {
    use super::*;

    #[test]
    fn an_err_of_try_map() {
        let error = error_of(pipeline! { range(10) |> map(|x| x - 1) |> try_map(below::<5>) });
        assert_eq!(facts(&error), ("5 is too large", Some("try_map"), Some(6)));
        assert!(!error.is_panic());
        assert_eq!(error.source().unwrap().to_string(), "5 is too large");
    }

    #[test]
    fn the_err_itself_is_the_source() {
        let error = error_of(pipeline! { ["1", "x"] |> try_map(|s| s.parse::<i32>()) });
        assert!(error.source().unwrap().is::<std::num::ParseIntError>());
    }

    #[test]
    fn a_panic() {
        let error = error_of(pipeline! { range(10) |> map(|x| { boom_at::<7>(&x); x }) });
        assert_eq!(facts(&error), ("panicked: boom at 7", Some("map"), Some(7)));
        assert!(error.is_panic());
        assert!(error.source().is_none());
    }

    #[test]
    fn a_panic_whose_payload_is_not_text() {
        let error = error_of(pipeline! { range(3) |> map(|x| if x < 1 { x } else { std::panic::panic_any(x) }) });
        assert_eq!(facts(&error), ("panicked: (a payload that is not text)", Some("map"), Some(1)));
    }

    #[test]
    fn a_panic_of_rusts_own() {
        let zero = 0;
        let error = error_of(pipeline! { range(1, 3) |> map(|x| x / zero) });
        assert_eq!(facts(&error), ("panicked: attempt to divide by zero", Some("map"), Some(0)));
    }

    #[test]
    fn the_stage_that_panicked_whichever_it_is() {
        let numbers = || pipeline! { range(10) };
        let stages = [
            error_of(pipeline! { numbers() |> map(|x| boom_at::<4>(&x)) }),
            error_of(pipeline! { numbers() |> each(boom_at::<4>) }),
            error_of(pipeline! { numbers() |> filter(|x| { boom_at::<4>(x); true }) }),
            error_of(pipeline! { numbers() |> filter_map(|x| { boom_at::<4>(&x); Some(x) }) }),
            error_of(pipeline! { numbers() |> try_map(|x| { boom_at::<4>(&x); Ok::<_, String>(x) }) }),
            error_of(pipeline! { numbers() |> debug::print_on_item(|x| { boom_at::<4>(x); *x }) }),
        ];
        for (error, stage) in
            stages.iter().zip(["map", "each", "filter", "filter_map", "try_map", "debug::print_on_item"])
        {
            assert_eq!(facts(error), ("panicked: boom at 4", Some(stage), Some(4)));
        }
    }

    #[test]
    fn the_stage_that_panicked_on_a_thread() {
        let _watchdog = watchdog(60);
        let stages = [
            error_of(pipeline! { range(10) |> thread::map(|x| boom_at::<4>(&x), 2) }),
            error_of(pipeline! { range(10) |> thread::each(boom_at::<4>, 2) }),
            error_of(pipeline! { range(10) |> thread::map_init(|| (), |(), x| boom_at::<4>(&x), 2) }),
            error_of(pipeline! { range(10) |> map(|x| boom_at::<4>(&x)) |> thread::queue(2) }),
            error_of(pipeline! { range(10) |> filter(|x| { boom_at::<4>(x); true }) |> thread::queue(2) }),
            error_of(pipeline! { range(10) |> filter_map(|x| { boom_at::<4>(&x); Some(x) }) |> thread::queue(2) }),
        ];
        let names = ["thread::map", "thread::each", "thread::map_init", "map", "filter", "filter_map"];
        for (error, stage) in stages.iter().zip(names) {
            assert_eq!(facts(error), ("panicked: boom at 4", Some(stage), Some(4)));
        }
    }

    #[test]
    fn an_init_that_panics() {
        let _watchdog = watchdog(60);
        let init = || -> i32 { panic!("no state") };
        let error = error_of(pipeline! { range(10) |> thread::map_init(init, |_, x| x, workers = 1) });
        assert_eq!(facts(&error), ("panicked: no state", Some("thread::map_init"), Some(0)));
    }

    #[test]
    fn a_function_of_a_marker() {
        let error =
            error_of(pipeline! { range(10) |> m @ marker::insert_periodic(3) |> marker::on(|| panic!("marked"), m) });
        assert_eq!((error.message(), error.stage()), ("panicked: marked", Some("marker::on")));
    }

    #[test]
    fn the_display_says_it_all() {
        let error = error_of(pipeline! { range(10) |> try_map(below::<5>) });
        let place = error.location().unwrap();
        let text = format!("5 is too large (in `try_map` at {}:{}", place.file(), place.line());
        assert!(error.to_string().starts_with(&text), "{error}");
        assert!(error.to_string().ends_with(", item 5)"), "{error}");
    }

    #[test]
    fn it_is_cheap_to_hand_on() {
        fn is_error<E: std::error::Error + Clone + Send + Sync + 'static>(_: &E) {}
        let error = error_of(pipeline! { range(10) |> try_map(below::<5>) });
        is_error(&error);
        assert_eq!(error.clone().to_string(), error.to_string());
    }
}

mod where_it_happened {
    use super::*;
    use tinypl::{Like, map};

    fn checked<P: Pipe<Item = i32>>(up: P) -> impl Like<P, Item = i32> {
        map(up, |x| {
            boom_at::<4>(&x);
            x
        })
    }

    #[test]
    fn the_line_of_the_stage() {
        let start = line!();
        let error = error_of(pipeline! {
            range(10)
                |> map(|x| x + 1)
                |> filter(|x| *x > 2)
                |> try_map(below::<5>)
                |> map(|x| x - 1)
        });
        assert_eq!(line(&error), start + 5);
    }

    #[test]
    fn the_line_of_a_thread_stage() {
        let _watchdog = watchdog(60);
        let start = line!();
        let error = error_of(pipeline! {
            range(10)
                |> thread::map(
                    |x| boom_at::<4>(&x),
                    workers = 2,
                )
                |> map(|()| 1)
        });
        assert_eq!(line(&error), start + 3);
    }

    #[test]
    fn the_line_of_a_stage_in_a_track() {
        let start = line!();
        pipeline! {
            let shared = range(10)
                |> try_map(below::<5>);
            let below = shared |> map(|x| x + 1);
        }
        assert_eq!(line(&error_of(below)), start + 3);
        drop(shared);
    }

    #[test]
    fn the_line_of_the_source() {
        let start = line!();
        let error = error_of(pipeline! {
            (0..10).inspect(boom_at::<4>)
                |> map(|x| x + 1)
        });
        assert_eq!(line(&error), start + 2);
    }

    #[test]
    fn inside_an_own_stage_the_line_there() {
        let error = error_of(pipeline! { range(10) |> checked() });
        let own = include_str!("errors.rs").lines().position(|line| line.contains("map(up, |x| {")).unwrap();
        assert_eq!((error.stage(), line(&error)), (Some("map"), own as u32 + 1));
    }

    #[test]
    fn by_hand_the_line_of_the_call() {
        let start = line!();
        let error = error_of(Pipeline::new(map(
            tinypl::try_map(tinypl::range(0, 9), below::<5>), // this one
            |x| x + 1,
        )));
        assert_eq!(line(&error), start + 2);
    }
}

mod which_item {
    use super::*;
    use tinypl::{Given, Locked, Serial, Upstream, stage};

    fn item<P: Pipe>(pipe: Pipeline<P>) -> u64 {
        error_of(pipe).item().expect("an item's number")
    }

    #[test]
    fn a_filter_does_not_count_anew() {
        assert_eq!(item(pipeline! { range(10) |> filter(|x| x % 2 == 1) |> try_map(below::<7>) }), 7);
        assert_eq!(item(pipeline! { range(10) |> filter(|x| x % 2 == 1) |> each(boom_at::<7>) }), 7);
    }

    #[test]
    fn a_stage_with_one_puller_counts_anew() {
        assert_eq!(item(pipeline! { range(10) |> skip(3) |> try_map(below::<7>) }), 4);
        assert_eq!(item(pipeline! { range(10) |> skip(3) |> each(boom_at::<7>) }), 4);
        assert_eq!(item(pipeline! { range(10) |> filter(|x| x % 2 == 1) |> thread::mutex() |> each(boom_at::<7>) }), 3);
        assert_eq!(
            item(pipeline! { range(10) |> partition(4) |> try_map(|g| below::<5>(g[0])) |> each(|_| ())
            |> chain([1]) |> each(boom_at::<1>) }),
            2
        );
    }

    #[test]
    fn flatten_counts_what_it_gives() {
        assert_eq!(item(pipeline! { [vec![0], vec![1, 2, 3]] |> flatten() |> each(boom_at::<2>) }), 2);
        assert_eq!(item(pipeline! { [vec![0], vec![1, 2, 3]] |> flatten_eager() |> try_map(below::<2>) }), 2);
    }

    #[test]
    fn markers_do_not_count() {
        assert_eq!(item(pipeline! { range(10) |> marker::insert_periodic(1) |> each(boom_at::<4>) }), 4);
        assert_eq!(
            item(pipeline! { range(10) |> marker::insert_periodic(1, after = false) |> try_map(below::<4>) }),
            4
        );
    }

    #[test]
    fn gaps_of_an_order_do_not_count() {
        assert_eq!(
            item(pipeline! { range(10) |> o @ order::save(2) |> filter(|x| x % 2 == 1) |> order::load(o)
            |> each(boom_at::<5>) }),
            2
        );
    }

    #[test]
    fn above_a_queue_the_item_as_taken_from_the_source() {
        let _watchdog = watchdog(60);
        assert_eq!(
            item(pipeline! { range(10) |> filter(|x| x % 2 == 1) |> map(|x| boom_at::<7>(&x)) |> thread::queue(3) }),
            7
        );
        assert_eq!(item(pipeline! { range(10) |> skip(2) |> try_map(below::<7>) |> thread::queue(3) }), 5);
    }

    #[test]
    fn below_a_queue_the_item_as_taken_from_it() {
        let _watchdog = watchdog(60);
        assert_eq!(
            item(pipeline! { range(10) |> filter(|x| x % 2 == 1) |> thread::queue(workers = 1) |> each(boom_at::<7>) }),
            3
        );
        assert_eq!(
            item(
                pipeline! { range(10) |> filter(|x| x % 2 == 1) |> thread::queue(workers = 1) |> try_map(below::<7>) }
            ),
            3
        );
    }

    #[test]
    fn below_an_order_the_item_as_taken_from_it() {
        let _watchdog = watchdog(60);
        assert_eq!(
            item(pipeline! { range(99) |> o @ order::save(8) |> thread::map(|x| x, 3) |> order::load(o)
            |> each(boom_at::<42>) }),
            42
        );
    }

    #[test]
    fn a_fold_knows_it_too() {
        let by_fold =
            panic_of(|| pipeline! { range(9) |> skip(2) |> filter(|x| x % 2 == 1) |> each(boom_at::<5>) |> count() });
        assert!(by_fold.starts_with("panicked: boom at 5 (in `each` at ") && by_fold.ends_with("item 3)"), "{by_fold}");
        let _watchdog = watchdog(60);
        let inner = || pipeline! { range(9) |> skip(2) |> each(boom_at::<5>) };
        let error = error_of(pipeline! { range(1) |> map(|_| inner().count()) });
        assert_eq!(facts(&error), ("panicked: boom at 5", Some("each"), Some(3)));
    }

    #[test]
    fn in_the_source_the_item_that_it_was_about_to_give() {
        let error = error_of(pipeline! { (0..10).inspect(boom_at::<4>) |> map(|x| x + 1) });
        assert_eq!(facts(&error), ("panicked: boom at 4", Some("source"), Some(4)));
        let error = error_of(pipeline! { (0..10).inspect(boom_at::<4>) |> map(|x| x + 1) |> thread::queue(1) });
        assert_eq!(facts(&error), ("panicked: boom at 4", Some("source"), Some(4)));
    }

    #[test]
    fn in_an_items_own_iterator_the_item_that_flatten_was_about_to_give() {
        let error =
            error_of(pipeline! { range(3) |> map(|n| (10 * n..10 * n + 3).inspect(boom_at::<11>)) |> flatten() });
        assert_eq!(facts(&error), ("panicked: boom at 11", Some("flatten"), Some(4)));
    }

    /// Panics at its fourth item.
    struct Fragile<P> {
        up: P,
        given: u32,
    }

    #[track_caller]
    fn fragile<P: Pipe>(up: P) -> Locked<Fragile<P>> {
        stage(Fragile { up, given: 0 })
    }

    impl<P: Pipe> Serial for Fragile<P> {
        type Item = P::Item;
        type Marker = P::Marker;
        type Tags = P::Tags;

        fn pull(&mut self) -> Option<Given<Self>> {
            let signal = self.up.pull()?;
            self.given += 1;
            assert!(self.given < 4, "too fragile");
            Some(signal)
        }

        fn upstream(&mut self) -> Option<&mut dyn Upstream> {
            Some(&mut self.up)
        }
    }

    #[test]
    fn in_a_stage_with_state_of_ones_own() {
        let start = line!();
        let error = error_of(pipeline! {
            range(9)
                |> fragile()
                |> map(|x| x + 1)
        });
        assert_eq!(facts(&error), ("panicked: too fragile", Some("stage"), Some(3)));
        assert_eq!(line(&error), start + 3);
    }

    #[test]
    fn above_a_stage_with_state_of_ones_own() {
        let error = error_of(pipeline! { range(9) |> skip(1) |> each(boom_at::<3>) |> fragile() });
        assert_eq!(facts(&error), ("panicked: boom at 3", Some("each"), Some(2)));
        let error = error_of(pipeline! { range(9) |> try_map(below::<2>) |> fragile() });
        assert_eq!(facts(&error), ("2 is too large", Some("try_map"), Some(2)));
    }
}

mod how_it_is_told {
    use super::*;

    /// Each stage below one that fails passes the failure on, and gives nothing after it.
    macro_rules! passes_on {
        ($($name:ident: [$($stage:tt)*])*) => {$(
            #[test]
            fn $name() {
                let _watchdog = watchdog(60);
                let fails = || pipeline! { range(9) |> try_map(below::<3>) };
                let mut pipe = pipeline! { fails() |> $($stage)* };
                let error = std::iter::from_fn(|| pipe.try_next().transpose()).find_map(Result::err).expect("an error");
                assert_eq!(facts(&error), ("3 is too large", Some("try_map"), Some(3)));
                assert_eq!(pipe.try_next().unwrap_err().to_string(), error.to_string());
                let panics = || pipeline! { range(9) |> each(boom_at::<3>) };
                let mut pipe = pipeline! { panics() |> $($stage)* };
                let error = std::iter::from_fn(|| pipe.try_next().transpose()).find_map(Result::err).expect("an error");
                assert_eq!(facts(&error), ("panicked: boom at 3", Some("each"), Some(3)));
                assert_eq!(pipe.try_next().unwrap_err().to_string(), error.to_string());
            }
        )*};
    }

    passes_on! {
        map: [map(|x| x)]
        each: [each(|_| ())]
        filter: [filter(|_| false)]
        filter_map: [filter_map(Some)]
        try_map: [try_map(Ok::<_, String>)]
        take: [take(9)]
        skip: [skip(9)]
        enumerate: [enumerate()]
        zip: [zip(0..)]
        chain: [chain(5..6)]
        flatten: [map(Some) |> flatten()]
        flatten_eager: [map(Some) |> flatten_eager()]
        partition: [partition(5)]
        partition_after_markers: [marker::insert_periodic(1) |> partition(5, markers = after)]
        ratelimit: [ratelimit(1, std::time::Duration::ZERO)]
        share: [share()]
        mutex: [thread::mutex()]
        print_on_item: [debug::print_on_item("passes_on")]
        insert_periodic: [marker::insert_periodic(1)]
        on: [m @ marker::insert_periodic(1) |> marker::on(|| (), m)]
        on_consumed: [m @ marker::insert_periodic(1) |> marker::on(|| (), m, consume = true)]
        until: [m @ marker::insert_periodic(9) |> marker::until(m)]
        order: [o @ order::save(2) |> order::load(o)]
        nested_orders: [o @ order::save(2) |> p @ order::save(2) |> order::load(p) |> order::load(o)]
        queue: [thread::queue(2)]
        queues: [thread::queue(2) |> thread::queue(2) |> thread::queue(2)]
        order_around_a_queue: [o @ order::save(2) |> thread::queue(2) |> order::load(o)]
    }

    #[test]
    fn the_items_before_it_are_given_first() {
        let mut pipe = pipeline! { range(9) |> try_map(below::<2>) };
        assert_eq!(pipe.try_next().unwrap(), Some(0));
        assert_eq!(pipe.try_next().unwrap(), Some(1));
        assert!(pipe.try_next().is_err());
    }

    #[test]
    fn the_same_again_when_asked_again() {
        let mut pipe = pipeline! { range(9) |> each(boom_at::<0>) };
        let first = pipe.try_next().unwrap_err().to_string();
        for _ in 0..3 {
            assert_eq!(pipe.try_next().unwrap_err().to_string(), first);
            assert_eq!(panic_of(|| pipe.next()), first);
        }
    }

    #[test]
    fn next_panics_with_the_text_of_the_error() {
        let mut pipe = pipeline! { range(9) |> try_map(below::<1>) };
        assert_eq!(pipe.next(), Some(0));
        let text = panic_of(|| pipe.next());
        assert_eq!(text, pipe.try_next().unwrap_err().to_string());
        assert_eq!(text, panic_of(|| pipe.next()));
    }

    #[test]
    fn next_panics_with_what_a_thread_panicked_with() {
        let _watchdog = watchdog(60);
        let mut pipe = pipeline! { range(9) |> thread::map(|x| boom_at::<0>(&x), 1) };
        let text = panic_of(|| pipe.next());
        assert!(text.starts_with("panicked: boom at 0 (in `thread::map` at "), "{text}");
        assert_eq!(text, pipe.try_next().unwrap_err().to_string());
    }

    #[test]
    fn a_panic_on_the_callers_own_thread_ends_the_pipeline_too() {
        let mut pipe = pipeline! { range(9) |> each(boom_at::<1>) };
        assert_eq!(pipe.next(), Some(0));
        let text = panic_of(|| pipe.next());
        // it must not go on behind the item that was lost
        let error = pipe.try_next().unwrap_err();
        assert_eq!(facts(&error), ("panicked: boom at 1", Some("each"), Some(1)));
        assert!(error.is_panic());
        assert_eq!((text, panic_of(|| pipe.next())), (error.to_string(), error.to_string()));
    }

    #[test]
    fn a_panic_of_the_callers_own_code_goes_on_as_it_is() {
        assert_eq!(
            panic_of(|| pipeline! { range(9) |> map(|x| x + 1) |> for_each(|x| panic!("mine: {x}")) }),
            "mine: 1"
        );
        let mut pipe = pipeline! { range(9) };
        let mine = |x: i32| assert!(x < 0, "mine: {x}");
        assert_eq!(panic_of(|| pipe.by_ref().for_each(mine)), "mine: 0");
        assert_eq!(pipe.next(), Some(1));
        // what it leaves behind is no part of a later error
        let error = error_of(pipeline! { pipe |> each(boom_at::<3>) });
        assert_eq!(facts(&error), ("panicked: boom at 3", Some("each"), Some(3)));
    }

    #[test]
    fn every_consuming_method_of_the_iterator_panics() {
        let fails = || pipeline! { range(9) |> try_map(below::<3>) };
        let texts = [
            panic_of(|| fails().collect::<Vec<_>>()),
            panic_of(|| fails().count()),
            panic_of(|| fails().fold(0, i32::max)),
            panic_of(|| fails().for_each(drop)),
            panic_of(|| fails().sum::<i32>()),
            panic_of(|| fails().last()),
            panic_of(|| for _ in fails() {}),
            panic_of(|| pipeline! { fails() |> collect::<Vec<_>>() }),
            panic_of(|| pipeline! { fails() |> count() }),
            panic_of(|| pipeline! { fails() |> fold(0, i32::max) }),
            panic_of(|| pipeline! { fails() |> for_each(drop) }),
        ];
        for text in texts {
            assert!(text.starts_with("3 is too large (in `try_map` at "), "{text}");
        }
    }

    #[test]
    fn try_collect_gives_the_error() {
        let error = pipeline! { range(9) |> try_map(below::<3>) |> try_collect::<Vec<_>>() }.unwrap_err();
        assert_eq!(facts(&error), ("3 is too large", Some("try_map"), Some(3)));
        let error = pipeline! { range(9) |> each(boom_at::<3>) |> try_collect::<Vec<_>>() }.unwrap_err();
        assert_eq!(facts(&error), ("panicked: boom at 3", Some("each"), Some(3)));
    }

    #[test]
    fn try_for_each_gives_the_error() {
        let mut seen = vec![];
        let result: Result<(), Error> =
            pipeline! { range(9) |> try_map(below::<3>) |> try_for_each(|x| { seen.push(x); Ok(()) }) };
        assert_eq!((result.unwrap_err().item(), seen), (Some(3), vec![0, 1, 2]));
    }

    #[test]
    fn after_stop_there_is_no_error_to_come() {
        let mut pipe = pipeline! { range(9) |> try_map(below::<1>) };
        assert_eq!(pipe.next(), Some(0));
        pipe.stop();
        assert_eq!(pipe.try_next().unwrap(), None);
    }

    #[test]
    fn an_error_that_was_told_is_told_after_stop_too() {
        let mut pipe = pipeline! { range(9) |> try_map(below::<0>) };
        let text = pipe.try_next().unwrap_err().to_string();
        pipe.stop();
        assert_eq!(pipe.try_next().unwrap_err().to_string(), text);
    }
}

mod through_other_pipelines {
    use super::*;

    #[test]
    fn in_zips_other() {
        let other = || pipeline! { range(9) |> try_map(below::<2>) };
        let mut pipe = pipeline! { range(9) |> zip(other()) };
        assert_eq!(pipe.try_next().unwrap(), Some((0, 0)));
        assert_eq!(pipe.try_next().unwrap(), Some((1, 1)));
        let error = pipe.try_next().unwrap_err();
        assert_eq!(facts(&error), ("2 is too large", Some("try_map"), Some(2)));
        assert!(error.source().is_some());
        let other = || pipeline! { range(9) |> each(boom_at::<2>) };
        let error = error_of(pipeline! { range(9) |> zip(other()) });
        assert_eq!(facts(&error), ("panicked: boom at 2", Some("each"), Some(2)));
    }

    #[test]
    fn in_chains_other() {
        let other = || pipeline! { range(9) |> try_map(below::<2>) };
        let error = error_of(pipeline! { range(9) |> chain(other()) });
        assert_eq!(facts(&error), ("2 is too large", Some("try_map"), Some(2)));
        let other = || pipeline! { range(9) |> each(boom_at::<2>) };
        let error = error_of(pipeline! { range(9) |> chain(other()) });
        assert_eq!(facts(&error), ("panicked: boom at 2", Some("each"), Some(2)));
    }

    /// An iterator that is no pipeline has no place of its own: the stage that pulls it is told.
    #[test]
    fn in_an_iterator_that_is_zipped_or_chained() {
        let _watchdog = watchdog(60);
        let zipped = || (0..9).inspect(boom_at::<2>);
        let error = error_of(pipeline! { range(9) |> zip(zipped()) });
        assert_eq!(facts(&error), ("panicked: boom at 2", Some("zip"), Some(2)));
        let error = error_of(pipeline! { range(9) |> zip(zipped()) |> thread::queue(1) });
        assert_eq!(facts(&error), ("panicked: boom at 2", Some("zip"), Some(2)));
        let chained = || (5..9).inspect(boom_at::<6>);
        let error = error_of(pipeline! { range(2) |> chain(chained()) });
        assert_eq!(facts(&error), ("panicked: boom at 6", Some("chain"), Some(3)));
        let error = error_of(pipeline! { range(2) |> chain(chained()) |> thread::queue(1) });
        assert_eq!(facts(&error), ("panicked: boom at 6", Some("chain"), Some(3)));
    }

    #[test]
    fn in_the_threads_of_zips_and_chains_other() {
        let _watchdog = watchdog(60);
        let other = || pipeline! { range(9) |> thread::map(|x| { boom_at::<2>(&x); x }, workers = 1) };
        let error = error_of(pipeline! { range(9) |> zip(other()) });
        assert_eq!(facts(&error), ("panicked: boom at 2", Some("thread::map"), Some(2)));
        let error = error_of(pipeline! { range(9) |> chain(other()) |> thread::queue(2) });
        assert_eq!(facts(&error), ("panicked: boom at 2", Some("thread::map"), Some(2)));
    }

    #[test]
    fn in_a_pipeline_that_is_flattened() {
        let inner = |n: i32| pipeline! { range(n) |> try_map(below::<2>) };
        let error = error_of(pipeline! { range(9) |> map(inner) |> flatten() });
        assert_eq!(facts(&error), ("2 is too large", Some("try_map"), Some(2)));
        let error = error_of(pipeline! { range(9) |> map(inner) |> flatten_eager() });
        assert_eq!(facts(&error), ("2 is too large", Some("try_map"), Some(2)));
    }

    #[test]
    fn in_a_pipeline_that_runs_inside_a_function() {
        let error =
            error_of(pipeline! { range(9) |> map(|n| pipeline! { range(n) |> try_map(below::<2>) |> count() }) });
        assert_eq!(facts(&error), ("2 is too large", Some("try_map"), Some(2)));
    }

    #[test]
    fn a_panic_that_was_caught_inside_a_function_leaves_no_trace() {
        let error = error_of(pipeline! {
            range(9)
                |> map(|x| { let _ = catch_unwind(|| pipeline! { range(9) |> each(boom_at::<1>) |> count() }); x })
                |> try_map(below::<4>)
        });
        assert_eq!(facts(&error), ("4 is too large", Some("try_map"), Some(4)));
    }

    #[test]
    fn a_block_upon_a_borrowed_pipeline_tells_it_and_so_does_that_pipeline() {
        let mut pipe = pipeline! { range(9) |> try_map(below::<2>) };
        let error = error_of(pipeline! { &mut pipe |> map(|x| x + 1) });
        assert_eq!(facts(&error), ("2 is too large", Some("try_map"), Some(2)));
        assert_eq!(pipe.try_next().unwrap_err().to_string(), error.to_string());
        let again = error_of(pipeline! { pipe.by_ref() |> map(|x| x + 1) });
        assert_eq!(again.to_string(), error.to_string());
    }

    #[test]
    fn a_panic_in_a_borrowed_pipeline_ends_that_pipeline_too() {
        let mut pipe = pipeline! { range(9) |> each(boom_at::<2>) };
        let error = error_of(pipeline! { &mut pipe |> map(|x| x + 1) });
        assert_eq!(facts(&error), ("panicked: boom at 2", Some("each"), Some(2)));
        // it must not go on behind the item that was lost
        assert_eq!(pipe.try_next().unwrap_err().to_string(), error.to_string());
    }

    #[test]
    fn a_pipeline_that_has_failed_is_no_source_any_more() {
        let mut pipe = pipeline! { range(9) |> try_map(below::<0>) };
        let told = pipe.try_next().unwrap_err().to_string();
        assert_eq!(panic_of(|| pipeline! { pipe |> map(|x| x + 1) }), told);
        let mut pipe = pipeline! { range(9) |> each(boom_at::<0>) };
        let told = pipe.try_next().unwrap_err().to_string();
        assert_eq!(panic_of(|| pipeline! { pipe |> map(|x| x + 1) }), told);
    }

    #[test]
    fn an_err_reaches_every_holder_of_a_shared_track() {
        pipeline! {
            let mut numbers = range(9) |> try_map(below::<2>);
            let mut plus = numbers |> map(|x| x + 1);
            let minus = numbers |> map(|x| x - 1);
        }
        assert_eq!((plus.try_next().unwrap(), numbers.try_next().unwrap()), (Some(1), Some(1)));
        let errors = [plus.try_next().unwrap_err(), error_of(minus), numbers.try_next().unwrap_err()];
        for error in &errors {
            assert_eq!(facts(error), ("2 is too large", Some("try_map"), Some(2)));
            assert_eq!(error.to_string(), errors[0].to_string());
        }
    }

    #[test]
    fn a_panic_reaches_every_holder_of_a_shared_track() {
        let _watchdog = watchdog(60);
        pipeline! {
            let numbers = range(9) |> each(boom_at::<2>);
            let plus = numbers |> map(|x| x + 1);
            let minus = numbers |> thread::map(|x| x - 1, workers = 2);
        }
        let errors = [error_of(numbers.clone()), error_of(plus), error_of(minus), error_of(numbers)];
        for error in &errors {
            assert_eq!(facts(error), ("panicked: boom at 2", Some("each"), Some(2)));
        }
    }

    #[test]
    fn through_zip_with_a_track() {
        pipeline! {
            let mut numbers = range(9) |> try_map(below::<3>);
            let pairs = numbers |> zip(numbers);
        }
        assert_eq!(facts(&error_of(pairs)), ("3 is too large", Some("try_map"), Some(3)));
        assert_eq!(facts(&numbers.try_next().unwrap_err()), ("3 is too large", Some("try_map"), Some(3)));
    }
}

/// Stages with state, of the user's own.
mod in_own_stages {
    use super::*;

    struct Own<P, F> {
        up: P,
        pull: F,
    }

    fn own<P: Pipe, F: FnMut(&mut P) -> Option<Signal<P>>>(up: P, pull: F) -> Locked<Own<P, F>> {
        stage(Own { up, pull })
    }

    impl<P: Pipe, F: FnMut(&mut P) -> Option<Signal<P>>> Serial for Own<P, F> {
        type Item = P::Item;
        type Marker = P::Marker;
        type Tags = P::Tags;

        fn pull(&mut self) -> Option<Given<Self>> {
            (self.pull)(&mut self.up)
        }

        fn upstream(&mut self) -> Option<&mut dyn Upstream> {
            Some(&mut self.up)
        }
    }

    /// Pulls once more where the stage above panicked.
    fn stubborn<P: Pipe>(up: P) -> Locked<impl Serial<Item = P::Item, Marker = P::Marker, Tags = P::Tags>> {
        own(up, |up: &mut P| {
            loop {
                if let Ok(signal) = catch_unwind(AssertUnwindSafe(|| up.pull())) {
                    return signal;
                }
            }
        })
    }

    /// Panics for the stage above, in its own words.
    fn dismayed<P: Pipe>(up: P) -> Locked<impl Serial<Item = P::Item, Marker = P::Marker, Tags = P::Tags>> {
        own(up, |up: &mut P| catch_unwind(AssertUnwindSafe(|| up.pull())).unwrap_or_else(|_| panic!("dismay")))
    }

    #[test]
    fn a_panic_that_one_caught_is_not_told_with_the_next_one() {
        let pipe = || pipeline! { range(9) |> each(boom_at::<2>) |> stubborn() |> each(boom_at::<5>) };
        let error = error_of(pipe());
        assert_eq!(facts(&error), ("panicked: boom at 5", Some("each"), Some(4)));
        let text = error.to_string();
        let mut pulled = pipe();
        assert_eq!(panic_of(|| pulled.by_ref().for_each(drop)), text);
        assert_eq!(panic_of(|| pipe().count()), text);
        assert_eq!(panic_of(|| pipeline! { pipe() |> thread::queue(1) |> count() }), text);
    }

    #[test]
    fn nor_with_one_of_its_own() {
        let pipe = || pipeline! { range(9) |> each(boom_at::<2>) |> dismayed() };
        let error = error_of(pipe());
        assert_eq!(facts(&error), ("panicked: dismay", Some("stage"), Some(2)));
        assert_eq!(panic_of(|| pipe().count()), error.to_string());
        let error = error_of(pipeline! { pipe() |> thread::queue(1) });
        assert_eq!(facts(&error), ("panicked: dismay", Some("stage"), Some(2)));
    }

    #[test]
    fn nor_with_one_of_a_sink() {
        let pipe = || pipeline! { range(9) |> each(boom_at::<2>) |> stubborn() };
        assert_eq!(panic_of(|| pipe().for_each(|x| boom_at::<5>(&x))), "boom at 5");
    }

    #[test]
    fn what_it_lets_pass_is_told_as_the_stage_above_said_it() {
        let pipe = || pipeline! { range(9) |> each(boom_at::<2>) |> own(|up| up.pull()) |> map(|x| x + 1) };
        let error = error_of(pipe());
        assert_eq!(facts(&error), ("panicked: boom at 2", Some("each"), Some(2)));
        assert_eq!(panic_of(|| pipe().count()), error.to_string());
    }

    #[test]
    fn its_own_panic_is_told_to_sinks_too() {
        let pipe = || {
            let mut pulls = 0..2;
            pipeline! { range(9) |> own(move |up| { pulls.next().expect("two pulls"); up.pull() }) |> map(|x| x + 1) }
        };
        let error = error_of(pipe());
        assert_eq!(facts(&error), ("panicked: two pulls", Some("stage"), Some(2)));
        assert_eq!(panic_of(|| pipe().count()), error.to_string());
    }

    #[test]
    fn and_so_is_that_of_a_source() {
        let source = || (0..9).inspect(boom_at::<4>);
        let pipe = || pipeline! { source() |> map(|x| x + 1) };
        let error = error_of(pipe());
        assert_eq!(facts(&error), ("panicked: boom at 4", Some("source"), Some(4)));
        assert_eq!(panic_of(|| pipe().count()), error.to_string());
        assert_eq!(panic_of(|| pipe().for_each(drop)), error.to_string());
    }
}
