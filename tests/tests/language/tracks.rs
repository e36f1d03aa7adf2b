//! `let` tracks: shared parts of a graph.
use std::sync::Arc;
use tinypl::pipeline;
use tinypl_tests::signals;

#[test]
fn the_example_of_the_page() {
    pipeline! {
        let mut mapped = range(100) |> map(|x| x + 1);
        let mut odd    = mapped |> filter(|x| x % 2 == 1);
        let mut even   = mapped |> filter(|x| x % 2 == 0);
    }
    assert_eq!(mapped.next(), Some(1));
    assert_eq!(odd.next(), Some(3)); // 2 was pulled and discarded
    assert_eq!(even.next(), Some(4));
    assert_eq!(even.next(), Some(6)); // 5 was pulled and discarded
    assert_eq!(mapped.next(), Some(7));
}

#[test]
fn whoever_pulls_takes_the_next_item_until_there_is_none_for_anybody() {
    pipeline! {
        let mut all = range(3);
        let mut doubled = all |> map(|x| 2 * x);
    }
    assert_eq!((doubled.next(), all.next(), doubled.next()), (Some(0), Some(1), Some(4)));
    assert_eq!((all.next(), doubled.next()), (None, None));
}

#[test]
fn tracks_with_a_closing_chain_are_an_expression() {
    let interleaved: Vec<_> = pipeline! {
        let numbers = range(7);
        let even = numbers |> filter(|x| x % 2 == 0);
        even |> zip(numbers) |> collect()
    };
    assert_eq!(interleaved, [(0, 1), (2, 3), (4, 5)]);
}

#[test]
fn tracks_with_a_closing_chain_are_local() {
    let (numbers, o) = ("outside", "too");
    let pipe = pipeline! {
        let numbers = range(5) |> o @ order::save(2);
        numbers |> order::load(o)
    };
    assert_eq!((pipe.count(), numbers, o), (5, "outside", "too"));
}

#[test]
fn a_track_of_tracks_of_tracks() {
    pipeline! {
        let mut a = range(20) |> map(|x| x + 1);
        let mut b = a |> filter(|x| x % 2 == 0);
        let mut c = b |> map(|x| 10 * x);
        let d = b |> skip(1);
    }
    assert_eq!((a.next(), b.next(), c.next()), (Some(1), Some(2), Some(40)));
    assert_eq!((b.next(), d.collect::<Vec<_>>()), (Some(6), vec![10, 12, 14, 16, 18, 20]));
    assert_eq!((a.next(), b.next(), c.next()), (None, None, None));
}

#[test]
fn a_shared_track_stays_usable_in_later_blocks() {
    pipeline! {
        let mut numbers = range(9);
        let mut odd = numbers |> filter(|x| x % 2 == 1);
    }
    assert_eq!(odd.next(), Some(1));
    let two: Vec<i32> = pipeline! { &mut numbers |> take(2) |> collect() };
    assert_eq!((two, odd.next()), (vec![2, 3], Some(5)));
    let rest: Vec<i32> = pipeline! { numbers |> map(|x| -x) |> collect() };
    assert_eq!((rest, odd.next()), (vec![-6, -7, -8], None));
}

#[test]
fn a_shared_track_is_clone() {
    pipeline! {
        let mut numbers = range(9);
        let odd = numbers |> filter(|x| x % 2 == 1);
    }
    let mut clone = numbers.clone();
    assert_eq!((numbers.next(), clone.next(), numbers.next()), (Some(0), Some(1), Some(2)));
    drop(odd);
    assert_eq!(clone.next(), Some(3));
}

#[test]
fn a_track_that_nobody_pulls_from_is_not_shared() {
    pipeline! {
        let alone = range(9) |> map(|x| x + 1);
        let other = range(3);
        let mut third = other |> map(|x| x + 1);
    }
    assert!(!std::any::type_name_of_val(&alone).contains("Share"));
    assert!(std::any::type_name_of_val(&other).contains("Share"));
    assert_eq!((alone.count(), third.next()), (9, Some(1)));
}

#[test]
fn stopping_one_of_several_tracks_ends_that_one() {
    pipeline! {
        let mut numbers = range(9);
        let mut odd = numbers |> filter(|x| x % 2 == 1);
    }
    assert_eq!(odd.next(), Some(1));
    numbers.stop();
    assert_eq!((numbers.next(), odd.next()), (None, Some(3)));
    odd.stop();
    assert_eq!((numbers.next(), odd.next()), (None, None));
}

#[test]
fn the_upstream_ends_with_its_last_holder() {
    let held = Arc::new(());
    let inside = held.clone();
    pipeline! {
        let mut numbers = range(9) |> each(move |_| assert_eq!(Arc::strong_count(&inside), 2));
        let mut odd = numbers |> filter(|x| x % 2 == 1);
    }
    assert_eq!(odd.next(), Some(1));
    numbers.stop();
    assert_eq!(Arc::strong_count(&held), 2);
    drop(odd);
    assert_eq!(Arc::strong_count(&held), 1);
}

#[test]
fn zip_with_a_track_takes_from_it() {
    pipeline! {
        let mut numbers = range(9);
        let mut pairs = numbers |> zip(numbers);
    }
    assert_eq!((pairs.next(), numbers.next(), pairs.next()), (Some((0, 1)), Some(2), Some((3, 4))));
}

#[test]
fn chain_with_a_track_takes_from_it() {
    pipeline! {
        let mut numbers = range(4);
        let mut all = ["a", "b"] |> map(|s| s.len() as i32 + 100) |> chain(numbers);
    }
    assert_eq!((all.next(), numbers.next(), all.next()), (Some(101), Some(0), Some(101)));
    assert_eq!((all.next(), numbers.next(), all.next(), all.next()), (Some(1), Some(2), Some(3), None));
}

#[test]
fn markers_pass_into_tracks() {
    pipeline! {
        let mut a = range(6) |> m @ marker::insert_periodic(2);
        let b = a |> marker::until(m);
        let c = a |> marker::until();
    }
    assert_eq!((b.collect::<Vec<_>>(), c.collect::<Vec<_>>()), (vec![0, 1], vec![2, 3]));
    assert_eq!(a.next(), Some(4));
    assert_eq!(signals(a), "5 *");
}

#[test]
fn the_markers_of_zips_other_track_do_not_pass() {
    pipeline! {
        let marked = range(9) |> marker::insert_periodic(1);
        let pairs = range(2) |> zip(marked);
    }
    assert_eq!(signals(pairs), "(0, 0) (1, 1)");
    assert_eq!(signals(marked), "* 2 * 3 * 4 * 5 * 6 * 7 * 8 *");
}

#[test]
fn let_without_mut_is_a_plain_binding() {
    pipeline! {
        let numbers = range(3);
        let tens = range(3) |> map(|x| 10 * x);
    }
    let sum: i32 = numbers.chain(tens).sum();
    assert_eq!(sum, 33);
}

#[test]
fn a_track_shadows_a_variable_of_its_name() {
    let numbers = vec![1, 2];
    pipeline! {
        let numbers = numbers |> map(|x| x * 10);
        let mut sums = numbers |> map(|x| x + 1);
    }
    assert_eq!(sums.next(), Some(11));
    assert_eq!(numbers.collect::<Vec<_>>(), [20]);
}

#[test]
fn tracks_below_several_queues_share_their_upstream() {
    pipeline! {
        let numbers = range(1000);
        let a = numbers |> thread::map(|x| x, workers = 2);
        let b = numbers |> thread::map(|x| x, workers = 2);
    }
    let mut all: Vec<i32> = a.chain(b).chain(numbers).collect();
    all.sort_unstable();
    assert_eq!(all, (0..1000).collect::<Vec<_>>());
}

#[test]
fn an_order_saved_above_a_shared_track_is_loaded_below_it() {
    pipeline! {
        let numbers = range(20) |> o @ order::save(4);
        let mut loaded = numbers |> thread::map(|x| x, workers = 2) |> order::load(o);
    }
    drop(numbers);
    assert_eq!(loaded.by_ref().take(3).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(loaded.collect::<Vec<_>>(), (3..20).collect::<Vec<_>>());
}

#[test]
fn a_block_declares_its_tracks_in_the_scope_around_and_no_further() {
    let numbers = 1;
    {
        pipeline! { let mut numbers = range(3); }
        assert_eq!(numbers.next(), Some(0));
    }
    assert_eq!(numbers, 1);
}
