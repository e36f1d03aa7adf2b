//! Sources: `range`, iterables, iterators.
use std::collections::VecDeque;
use std::io::{BufRead, Cursor};
use std::sync::mpsc::{channel, sync_channel};
use tinypl::{Pipeline, pipeline, range, source};
use tinypl_tests::watchdog;

#[test]
fn range_to_n() {
    assert_eq!(pipeline! { range(3) |> collect::<Vec<_>>() }, [0, 1, 2]);
    assert_eq!(pipeline! { range(0) |> count() }, 0);
    assert_eq!(pipeline! { range(-5) |> count() }, 0);
}

#[test]
fn range_from_a_to_b() {
    assert_eq!(pipeline! { range(2, 5) |> collect::<Vec<_>>() }, [2, 3, 4]);
    assert_eq!(pipeline! { range(-2, 1) |> collect::<Vec<_>>() }, [-2, -1, 0]);
    assert_eq!(pipeline! { range(5, 2) |> count() }, 0);
    assert_eq!(pipeline! { range(5, 5) |> count() }, 0);
}

#[test]
fn range_with_a_step() {
    assert_eq!(pipeline! { range(0, 10, 3) |> collect::<Vec<_>>() }, [0, 3, 6, 9]);
    assert_eq!(pipeline! { range(0, 9, 3) |> collect::<Vec<_>>() }, [0, 3, 6]);
    assert_eq!(pipeline! { range(0, 1, 100) |> collect::<Vec<_>>() }, [0]);
    assert_eq!(pipeline! { range(3, 3, 1) |> count() }, 0);
    assert_eq!(pipeline! { range(3, 0, 1) |> count() }, 0);
}

#[test]
fn range_with_a_negative_step() {
    assert_eq!(pipeline! { range(9, 0, -4) |> collect::<Vec<_>>() }, [9, 5, 1]);
    assert_eq!(pipeline! { range(3, 0, -1) |> collect::<Vec<_>>() }, [3, 2, 1]);
    assert_eq!(pipeline! { range(0, 3, -1) |> count() }, 0);
    assert_eq!(pipeline! { range(0, 0, -1) |> count() }, 0);
}

#[test]
fn range_at_the_ends_of_its_type() {
    assert_eq!(pipeline! { range(250_u8, 255, 3) |> collect::<Vec<_>>() }, [250, 253]);
    assert_eq!(pipeline! { range(0_u8, 255, 255) |> collect::<Vec<_>>() }, [0]);
    assert_eq!(pipeline! { range(i8::MIN, i8::MAX, 100) |> collect::<Vec<_>>() }, [-128, -28, 72]);
    assert_eq!(pipeline! { range(i8::MAX, i8::MIN, -100) |> collect::<Vec<_>>() }, [127, 27, -73]);
    assert_eq!(pipeline! { range(u64::MAX - 1, u64::MAX, u64::MAX) |> collect::<Vec<_>>() }, [u64::MAX - 1]);
    assert_eq!(pipeline! { range(i32::MAX - 2, i32::MAX) |> count() }, 2);
    assert_eq!(pipeline! { range(i8::MAX, 0, i8::MIN) |> collect::<Vec<_>>() }, [127]);
}

#[test]
fn range_of_every_kind_of_number() {
    assert_eq!(pipeline! { range(2_usize) |> count() }, 2);
    assert_eq!(pipeline! { range(2_i128) |> count() }, 2);
    assert_eq!(pipeline! { range(0_u16, 10, 5) |> count() }, 2);
}

#[test]
fn a_step_that_turns_out_to_be_zero_panics_at_once() {
    let zero = 0;
    let made = std::panic::catch_unwind(|| pipeline! { range(0, 10, zero) });
    assert!(made.is_err());
}

#[test]
fn a_range_knows_its_length() {
    assert_eq!(pipeline! { range(7) }.size_hint(), (7, Some(7)));
    assert_eq!(pipeline! { range(3, 7) }.size_hint(), (4, Some(4)));
    let (least, most) = pipeline! { range(0, 10, 3) }.size_hint();
    assert!(least <= 4 && most.is_none_or(|most| most >= 4));
}

#[test]
fn two_pipelines_of_one_iterable_each_begin_anew() {
    let numbers = [0, 1, 2];
    let mut a = pipeline! { &numbers |> map(|x| x + 1) };
    let mut b = pipeline! { &numbers |> map(|x| x + 1) };
    assert_eq!((a.next(), b.next()), (Some(1), Some(1)));
}

#[test]
fn two_pipelines_of_one_iterator_take_from_the_same() {
    let numbers = std::cell::RefCell::new([0, 1, 2].into_iter());
    let next = || numbers.borrow_mut().next();
    let mut a = pipeline! { std::iter::from_fn(next) |> map(|x| x + 1) };
    let mut b = pipeline! { std::iter::from_fn(next) |> map(|x| x + 1) };
    assert_eq!((a.next(), b.next(), a.next(), b.next()), (Some(1), Some(2), Some(3), None));
}

#[test]
fn an_iterator_by_reference_goes_on_afterwards() {
    let mut numbers = 0..9;
    assert_eq!(pipeline! { &mut numbers |> take(2) |> collect::<Vec<_>>() }, [0, 1]);
    assert_eq!(pipeline! { numbers.by_ref() |> take(2) |> collect::<Vec<_>>() }, [2, 3]);
    assert_eq!(numbers.next(), Some(4));
}

#[test]
fn collections_and_their_references() {
    let numbers = vec![1, 2, 3];
    assert_eq!(pipeline! { &numbers |> map(|x| *x) |> fold(0, |a, b| a + b) }, 6);
    assert_eq!(pipeline! { &numbers[1..] |> map(|x| *x) |> fold(0, |a, b| a + b) }, 5);
    assert_eq!(pipeline! { numbers |> fold(0, |a, b| a + b) }, 6);
    assert_eq!(pipeline! { VecDeque::from([1, 2]) |> count() }, 2);
    assert_eq!(
        pipeline! { std::collections::BTreeMap::from([(1, 'a')]) |> map(|(k, v)| format!("{k}{v}"))
        |> collect::<String>() },
        "1a"
    );
    assert_eq!(pipeline! { 1..=3 |> fold(0, |a, b| a + b) }, 6);
    assert_eq!(pipeline! { "añb".chars() |> filter(|c| c.is_ascii()) |> collect::<String>() }, "ab");
}

#[test]
fn the_lines_of_a_reader() {
    let reader = Cursor::new("one\ntwo\n");
    let lines =
        pipeline! { reader.lines() |> try_map(|line| line) |> map(|line| line.len()) |> try_collect::<Vec<_>>() };
    assert_eq!(lines.unwrap(), [3, 3]);
}

#[test]
fn a_channels_receiver_ends_when_its_senders_do() {
    let _watchdog = watchdog(60);
    let (sender, receiver) = channel();
    let thread = std::thread::spawn(move || (0..100).for_each(|x| sender.send(x).unwrap()));
    assert_eq!(pipeline! { receiver |> thread::map(|x| 2 * x, workers = 2) |> fold(0, |a, b| a + b) }, 9900);
    thread.join().unwrap();
}

#[test]
fn a_channels_receiver_gives_an_item_as_soon_as_it_is_sent() {
    let _watchdog = watchdog(60);
    let (sender, receiver) = sync_channel(0);
    let (answer, answers) = channel();
    let pipe = pipeline! { receiver |> map(|x| x + 1) };
    std::thread::spawn(move || {
        for x in 0..10 {
            sender.send(x).unwrap();
            assert_eq!(answers.recv(), Ok(x + 1)); // the next one only after this one has arrived
        }
    });
    for x in pipe {
        answer.send(x).unwrap();
    }
}

#[test]
fn an_endless_source_is_taken_from() {
    assert_eq!(pipeline! { 1.. |> take(3) |> collect::<Vec<_>>() }, [1, 2, 3]);
    assert_eq!(
        pipeline! { std::iter::successors(Some(1), |x| Some(2 * x)) |> take(4) |> collect::<Vec<_>>() },
        [1, 2, 4, 8]
    );
}

#[test]
fn by_hand_a_source_is_a_function() {
    assert_eq!(Pipeline::new(source([1, 2])).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(Pipeline::new(range(1, 3)).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(Pipeline::new(range(0, 9).step(4)).collect::<Vec<_>>(), [0, 4, 8]);
}
