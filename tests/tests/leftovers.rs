//! A block on a borrowed or shared stream with an open order ends with items in its hands: whoever loads that order
//! next must not wait for them.
use tinypl::pipeline;
use tinypl_tests::watchdog;

#[test]
fn the_item_for_which_zip_found_no_partner() {
    let _watchdog = watchdog(30);
    pipeline! { let mut saved = range(5) |> o @ order::save(1); }
    assert_eq!(pipeline! { &mut saved |> zip([7]) |> order::load(o) |> count() }, 1);
    assert_eq!(pipeline! { &mut saved |> order::load(o) |> collect::<Vec<_>>() }, [2, 3, 4]);
}

#[test]
fn the_item_at_which_a_function_of_the_block_panicked() {
    let _watchdog = watchdog(30);
    pipeline! { let mut saved = range(5) |> o @ order::save(1); }
    let panicked = pipeline! { &mut saved |> each(|x| assert!(*x < 1)) |> order::load(o) |> try_collect::<Vec<_>>() };
    assert!(panicked.is_err());
    assert_eq!(pipeline! { &mut saved |> order::load(o) |> collect::<Vec<_>>() }, [2, 3, 4]);
}

#[test]
fn the_item_of_which_a_function_of_the_block_made_an_err() {
    let _watchdog = watchdog(30);
    pipeline! { let mut saved = range(5) |> o @ order::save(1); }
    let below = |x| if x < 1 { Ok(x) } else { Err("too large") };
    let failed = pipeline! { &mut saved |> try_map(below) |> order::load(o) |> try_collect::<Vec<_>>() };
    assert!(failed.is_err());
    assert_eq!(pipeline! { &mut saved |> order::load(o) |> collect::<Vec<_>>() }, [2, 3, 4]);
}

#[test]
fn what_a_queue_on_a_borrowed_pipeline_had_prefetched() {
    let _watchdog = watchdog(30);
    pipeline! { let mut saved = range(50) |> o @ order::save(4); }
    let two: Vec<i32> = std::thread::scope(|s| {
        pipeline! {
            &mut saved |> thread::map(|x| x, workers = 2, maxsize = 2, scope = s) |> order::load(o) |> take(2)
                |> collect()
        }
    });
    assert_eq!(two, [0, 1]);
    let rest: Vec<i32> = pipeline! { &mut saved |> order::load(o) |> collect() };
    assert!(rest.is_sorted() && rest.last() == Some(&49), "{rest:?}");
}

#[test]
fn what_a_queue_on_a_shared_track_had_prefetched() {
    let _watchdog = watchdog(30);
    pipeline! {
        let saved = range(500) |> o @ order::save(4);
        let mut queued = saved |> thread::queue(2, maxsize = 2);
    }
    assert!(queued.next().is_some());
    drop(queued);
    let rest: Vec<i32> = pipeline! { saved |> order::load(o) |> collect() };
    assert!(rest.is_sorted() && rest.last() == Some(&499), "{rest:?}");
}

#[test]
fn items_that_others_took_from_the_face_of_a_shared_track() {
    let _watchdog = watchdog(30);
    pipeline! {
        let mut saved = range(50) |> o @ order::save(2);
        let mut unordered = saved |> map(|x| x);
        let mut loaded = saved |> order::load(o);
    }
    assert_eq!((unordered.next(), loaded.next()), (Some(0), Some(1)));
    assert_eq!((unordered.next(), saved.next(), loaded.next()), (Some(2), Some(3), Some(4)));
    drop(loaded);
    assert_eq!(unordered.by_ref().count(), 45);
}
