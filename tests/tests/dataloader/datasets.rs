//! What can be loaded from.
use std::sync::Arc;
use tinypl::dataloader::{self, Dataset, Position, sampler};
use tinypl::pipeline;
use tinypl_tests::{Traveller, tidy, watchdog};

/// All samples, in one batch.
fn all<D: Dataset>(dataset: D) -> Vec<D::Sample> {
    pipeline! { dataloader::load(dataset, 100, sampler = sampler::sequential().epochs(1)) |> take(1) |> flatten() |> collect() }
}

#[test]
fn containers_and_what_points_to_them_are_datasets() {
    let v = vec![1, 2, 3];
    assert_eq!(all(&v), [1, 2, 3]);
    assert_eq!(all(&v[1..]), [2, 3]);
    assert_eq!(all([1, 2]), [1, 2]);
    assert_eq!(all(&&[1, 2]), [1, 2]);
    assert_eq!(all(Arc::new(v.clone())), v);
    assert_eq!(all(Arc::<[i32]>::from([7])), [7]);
    assert_eq!(all(Box::new(v.clone())), v);
    assert_eq!(all::<Box<dyn Dataset<Sample = i32>>>(Box::new(v.clone())), v);
    assert_eq!(all(v.clone()), v);
    assert_eq!(all(dataloader::from_fn(3, |i| 10 * i)), [0, 10, 20]);
    assert!(all(Vec::<u8>::new()).is_empty());
}

#[test]
fn a_function_may_borrow_where_nobody_else_loads() {
    let words = [String::from("a"), String::from("bc")];
    assert_eq!(all(dataloader::from_fn(2, |i| words[i].as_str())), ["a", "bc"]);
}

#[test]
fn threads_in_a_scope_load_what_is_borrowed() {
    let _watchdog = watchdog(60);
    let words = [String::from("a"), String::from("bc"), String::from("def")];
    let lengths: Vec<usize> = std::thread::scope(|s| {
        let words = dataloader::from_fn(words.len(), |i| words[i].as_str());
        pipeline! {
            dataloader::load(words, 2, sampler = sampler::sequential().epochs(1), map = thread(workers = 2, scope = s),
                collate = |words| words.iter().map(|word| word.len()).sum::<usize>(),
                collate_map = thread(workers = 1, scope = s))
            |> collect()
        }
    });
    assert_eq!(lengths, [3, 3]);
}

/// Says for which position it was asked.
#[derive(serde::Serialize, serde::Deserialize)]
struct Asked(usize);

impl Dataset for Asked {
    type Sample = (u64, usize);

    fn len(&self) -> usize {
        self.0
    }

    fn get(&self, _: usize) -> (u64, usize) {
        unreachable!("the loader asks by position")
    }

    fn get_at(&self, at: Position) -> (u64, usize) {
        (at.epoch, at.index)
    }
}

#[test]
fn a_dataset_is_told_the_epoch_in_every_mode() {
    let _tidy = tidy(300);
    macro_rules! check {
        ($mode:expr, $pipe:expr) => {
            let batches: Vec<Vec<(u64, usize)>> = $pipe.collect();
            assert_eq!(batches, [[(0, 0), (0, 1)], [(0, 2), (1, 0)], [(1, 1), (1, 2)]], "{}", $mode);
        };
    }
    in_every_mode!(check: Asked(3), 2, sampler = sampler::sequential().epochs(2));
}

#[test]
fn adaptors_and_pointers_hand_the_epoch_on() {
    let at = Position { epoch: 3, index: 1 };
    assert_eq!(Arc::new(Asked(2)).get_at(at), (3, 1));
    assert_eq!(dataloader::located(Asked(2)).get_at(at), (at, (3, 1)));
    assert_eq!(dataloader::augment(&Asked(2), 0, |sample, _| sample).get_at(at), (3, 1));
}

#[test]
fn a_dataset_of_a_function_inside_ones_own_goes_to_processes() {
    #[derive(serde::Serialize, serde::Deserialize)]
    struct Subset<D> {
        indices: Vec<usize>,
        of: D,
    }
    impl<D: Dataset> Dataset for Subset<D> {
        type Sample = D::Sample;
        fn len(&self) -> usize {
            self.indices.len()
        }
        fn get(&self, index: usize) -> D::Sample {
            self.of.get(self.indices[index])
        }
    }
    let _tidy = tidy(300);
    let some = Subset { indices: vec![5, 3], of: dataloader::from_fn(10, |i| i * i) };
    let batches: Vec<_> = pipeline! {
        dataloader::load(some, 2, sampler = sampler::sequential().epochs(1), map = process(workers = 1)) |> collect()
    };
    assert_eq!(batches, [[25, 9]]);
}

/// However much is loaded: it may be large.
#[test]
fn a_dataset_goes_to_each_process_once() {
    #[derive(serde::Serialize, serde::Deserialize)]
    struct Counted(Traveller);

    impl Dataset for Counted {
        type Sample = usize;
        fn len(&self) -> usize {
            50
        }
        fn get(&self, _: usize) -> usize {
            Traveller::arrived()
        }
    }

    let _tidy = tidy(300);
    let twice = sampler::sequential().epochs(2);
    let whole: Vec<Vec<usize>> =
        pipeline! { dataloader::load(Counted(Traveller), 5, sampler = twice, map = process(workers = 2)) |> collect() };
    assert_eq!(whole, [[1; 5]; 20]);
    assert_eq!((Traveller::sent(), Traveller::arrived()), (1, 0));
    let apart: Vec<Vec<usize>> = pipeline! {
        dataloader::load(Counted(Traveller), 5, sampler = twice, map = process(workers = 2), collate_map = serial) |> collect()
    };
    assert_eq!(apart, [[1; 5]; 20]);
    assert_eq!((Traveller::sent(), Traveller::arrived()), (2, 0));
}

#[test]
fn a_function_does_not_come_out_of_bytes_elsewhere() {
    let squares = dataloader::from_fn(10, |i| i * i);
    fn again<T: serde::Serialize + serde::de::DeserializeOwned>(t: &T) -> Result<T, postcard::Error> {
        postcard::from_bytes(&postcard::to_stdvec(t)?)
    }
    assert!(again(&squares).is_err());
    let text = serde_json::to_string(&squares).expect("it has a form");
    assert_eq!(text, r#"{"len":10,"f":null}"#);
    fn of<T: serde::de::DeserializeOwned>(_: &T, text: &str) -> Option<String> {
        serde_json::from_str::<T>(text).err().map(|error| error.to_string())
    }
    let error = of(&squares, &text).expect("no function comes of it");
    assert!(error.contains("only in a worker process"), "{error}");
}
