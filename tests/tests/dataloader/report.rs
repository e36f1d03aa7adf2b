//! What the figures say of a loader's parts.
use tinypl::dataloader::{self, sampler};
use tinypl::{Error, Report, pipeline};
use tinypl_tests::tidy;

/// The rows that are the loader's own parts.
fn parts(report: &Report) -> Vec<&str> {
    let names = report.stages.iter().map(|stage| &*stage.name);
    names.filter(|name| name.starts_with("load: ")).collect()
}

/// The rows at which it failed.
fn failed(report: &Report) -> Vec<&str> {
    report.stages.iter().filter(|stage| stage.errors > 0).map(|stage| &*stage.name).collect()
}

macro_rules! report {
    ($($loader:tt)*) => {{
        let mut pipe = pipeline! { dataloader::load($($loader)*) };
        let monitor = pipe.monitor();
        let result: Result<Vec<_>, Error> = pipe.try_collect();
        (monitor.report(), result.err())
    }};
}

#[test]
fn rows_say_which_part_they_are() {
    let _tidy = tidy(300);
    let one = sampler::sequential().epochs(1);
    let (report, error) = report!(vec![1, 2, 3, 4, 5], 2, sampler = one, map = thread(workers = 2));
    assert!(error.is_none());
    let expected = [
        "load: sampler (sequential)",
        "load: epochs",
        "load: epoch_end (ignore)",
        "load: epoch_end (ignore)",
        "load: map (thread)",
        "load: batches",
    ];
    assert_eq!(parts(&report), expected);
    assert!(report.stages.iter().all(|stage| stage.errors == 0), "{report}");
    assert_eq!(report.stages.last().map(|stage| stage.items_out), Some(3), "{report}");
    let (report, _) = report!(vec![1, 2, 3, 4, 5], 2, sampler = one, collate_map = process(workers = 1));
    let expected = [
        "load: sampler (sequential)",
        "load: epochs",
        "load: map (serial)",
        "load: epoch_end (ignore)",
        "load: epoch_end (ignore)",
        "load: collate (process)",
        "load: batches",
    ];
    assert_eq!(parts(&report), expected);
    let shuffled = sampler::shuffle(7).epochs(2);
    let (report, _) = report!(vec![1, 2, 3], 2, sampler = shuffled, epoch_end = drop_last);
    assert_eq!(parts(&report)[0], "load: sampler (shuffle)");
    assert_eq!(parts(&report)[2], "load: epoch_end (drop_last)");
    // an own one has no name
    let (report, _) = report!(vec![1, 2, 3], 2, sampler = [vec![0, 2]], epoch_end = keep_last);
    assert_eq!(parts(&report)[0], "load: sampler");
    assert_eq!(parts(&report)[2], "load: epoch_end (keep_last)");
}

#[test]
fn an_error_is_on_the_row_where_it_arose() {
    let _tidy = tidy(300);
    let one = sampler::sequential().epochs(1);
    let fallible = dataloader::from_fn(5, |i| if i == 2 { Err("two") } else { Ok(i) });
    macro_rules! check {
        ($map:ident $(($($options:tt)*))?, $title:literal) => {
            let (report, error) = report!(fallible, 2, sampler = one, fallible = true, map = $map $(($($options)*))?);
            assert_eq!(error.unwrap().message(), "sample 2 of epoch 0: two");
            assert_eq!(failed(&report), [$title], "{report}");
            assert_eq!(report.stages.last().map(|stage| stage.items_out), Some(1), "{report}");
        };
    }
    check!(serial, "load: map (serial)");
    check!(thread(workers = 2), "load: map (thread)");
    check!(process(workers = 2), "load: map (process)");
    // epochs without a sample, an index out of range, a panic of `collate`, a death
    let (report, _) = report!(Vec::<i32>::new(), 1);
    assert_eq!(failed(&report), ["load: sampler (sequential)"], "{report}");
    let (report, _) = report!(vec![1, 2], 1, sampler = vec![vec![0, 1, 2]], map = thread(workers = 1));
    assert_eq!(failed(&report), ["load: map (thread)"], "{report}");
    let collate = |batch: Vec<i32>| if batch[0] == 3 { panic!("three") } else { batch };
    let (report, _) = report!(vec![1, 2, 3], 1, sampler = one, collate = collate, collate_map = thread(workers = 1));
    assert_eq!(failed(&report), ["load: collate (thread)"], "{report}");
    let deadly = dataloader::from_fn(3, |i| if i == 1 { std::process::abort() } else { i });
    let (report, _) = report!(deadly, 1, sampler = one, map = process(workers = 1));
    assert_eq!(failed(&report), ["load: map (process)"], "{report}");
}
