//! Functions of the user's as stages.
use tinypl::{Like, Pipe, filter, map, pipeline};
use tinypl_tests::signals;

/// The page's own, word for word.
fn double<P: Pipe<Item = i32>>(up: P) -> impl Like<P, Item = i32> {
    map(up, |x| 2 * x)
}

fn odd_halves<P: Pipe<Item = i32>>(up: P) -> impl Like<P, Item = i32> {
    filter(map(up, |x| x / 2), |x| x % 2 != 0)
}

fn add<P: Pipe<Item = i32>>(up: P, n: i32) -> impl Like<P, Item = i32> {
    map(up, move |x| x + n)
}

fn twice_each<P: Pipe<Item = i32, Tags = ()>>(up: P) -> impl Like<P, Item = i32> {
    tinypl::flatten(map(up, |x| [x, x]))
}

fn convert<T: From<P::Item>, P: Pipe>(up: P) -> impl Like<P, Item = T> {
    map(up, T::from)
}

mod my_stages {
    use tinypl::{Envelope, Given, Locked, Pipe, Serial, Upstream, stage};

    /// Leaves out what was among the last `window` items.
    pub struct Dedup<P: Pipe> {
        up: P,
        window: usize,
        last: Vec<P::Item>,
    }

    pub fn dedup<P: Pipe<Item: PartialEq + Clone>>(up: P) -> Setup<P> {
        Setup(up)
    }

    /// Options first; the setter ends in the stage.
    pub struct Setup<P>(P);

    impl<P: Pipe<Item: PartialEq + Clone>> Setup<P> {
        pub fn window(self, n: usize) -> Locked<Dedup<P>> {
            stage(Dedup { up: self.0, window: n, last: vec![] })
        }
    }

    impl<P: Pipe<Item: PartialEq + Clone>> Serial for Dedup<P> {
        type Item = P::Item;
        type Marker = P::Marker;
        type Tags = P::Tags;

        fn pull(&mut self) -> Option<Given<Self>> {
            loop {
                match self.up.pull()? {
                    Envelope::Item(x, ride) if self.last.contains(&x) => {
                        if let Some(gap) = Envelope::gap(ride) {
                            return Some(gap);
                        }
                    }
                    Envelope::Item(x, ride) => {
                        self.last.push(x.clone());
                        let surplus = self.last.len().saturating_sub(self.window);
                        self.last.drain(..surplus);
                        return Some(Envelope::Item(x, ride));
                    }
                    other => return Some(other),
                }
            }
        }

        fn upstream(&mut self) -> Option<&mut dyn Upstream> {
            Some(&mut self.up)
        }
    }
}

/// Functions called like built-in stages and sources.
mod same_names {
    use tinypl::{Like, Pipe};

    pub fn map<P: Pipe<Item = i32>>(up: P, by: i32) -> impl Like<P, Item = i32> {
        tinypl::map(up, move |x| x + by)
    }

    pub mod thread {
        use tinypl::{Like, Pipe};

        pub fn queue<P: Pipe<Item = i32>>(up: P) -> impl Like<P, Item = i32> {
            tinypl::map(up, |x| -x)
        }
    }
}

#[test]
fn a_function_in_scope_is_a_stage() {
    assert_eq!(pipeline! { range(3) |> double() |> collect::<Vec<_>>() }, [0, 2, 4]);
    assert_eq!(pipeline! { range(3) |> double |> double |> collect::<Vec<_>>() }, [0, 4, 8]);
}

#[test]
fn positional_arguments_follow_the_upstream() {
    assert_eq!(pipeline! { range(3) |> add(10) |> collect::<Vec<_>>() }, [10, 11, 12]);
}

#[test]
fn named_arguments_are_setters() {
    let all: Vec<i32> = pipeline! { [1, 2, 1, 3, 1, 1] |> my_stages::dedup(window = 2) |> collect() };
    assert_eq!(all, [1, 2, 3, 1]);
}

#[test]
fn a_turbofish_is_passed_on() {
    let all: Vec<i64> = pipeline! { range(3) |> convert::<i64, _>() |> collect() };
    assert_eq!(all, [0, 1, 2]);
    let all: Vec<_> = pipeline! { [1_u8, 2] |> convert::<u64, _> |> collect() };
    assert_eq!(all, [1_u64, 2]);
}

#[test]
fn a_closure_in_a_variable_is_a_stage() {
    let limit = 3;
    let checked = |up| tinypl::each(up, |x: &i32| assert!(*x < limit));
    assert_eq!(pipeline! { range(3) |> checked() |> count() }, 3);
}

#[test]
fn built_ins_win_over_functions_of_the_same_name() {
    use same_names::map;
    assert_eq!(pipeline! { range(3) |> map(|x| x * 5) |> collect::<Vec<_>>() }, [0, 5, 10]);
    let _ = map(tinypl::range(0, 1), 1);
}

#[test]
fn a_path_that_is_no_built_ins_is_ones_own() {
    assert_eq!(pipeline! { range(3) |> same_names::map(7) |> collect::<Vec<_>>() }, [7, 8, 9]);
    assert_eq!(pipeline! { range(3) |> self::same_names::thread::queue() |> collect::<Vec<_>>() }, [0, -1, -2]);
    assert_eq!(pipeline! { range(3) |> crate::own_stages::double() |> collect::<Vec<_>>() }, [0, 2, 4]);
}

mod a_module_with_a_map {
    use tinypl::{Like, Pipe, pipeline};

    fn map<P: Pipe<Item = i32>>(up: P, by: i32) -> impl Like<P, Item = i32> {
        tinypl::map(up, move |x| x + by)
    }

    #[test]
    fn self_map_is_ones_own() {
        let all: Vec<i32> = pipeline! { range(3) |> self::map(7) |> map(|x| 2 * x) |> collect() };
        assert_eq!(all, [14, 16, 18]);
    }
}

#[test]
fn built_in_functions_may_be_called_by_their_path() {
    let all: Vec<i32> = pipeline! { range(9) |> tinypl::skip(7) |> ::tinypl::map(|x| 2 * x) |> collect() };
    assert_eq!(all, [14, 16]);
}

#[test]
fn an_own_stage_stands_below_a_queue_and_above_one() {
    let mut all: Vec<i32> =
        pipeline! { range(100) |> double() |> thread::queue(4) |> odd_halves() |> thread::queue(2) |> collect() };
    all.sort_unstable();
    assert_eq!(all, (0..100).filter(|x| x % 2 == 1).collect::<Vec<_>>());
}

#[test]
fn an_own_stage_stands_among_markers() {
    pipeline! { let mut pipe = range(6) |> m @ marker::insert_periodic(2) |> double() |> add(1); }
    let first: Vec<i32> = pipeline! { &mut pipe |> marker::until(m) |> collect() };
    assert_eq!(first, [1, 3]);
    assert_eq!(signals(pipe), "5 7 * 9 11 *");
}

#[test]
fn an_own_stage_stands_inside_an_order() {
    let all: Vec<i32> = pipeline! {
        range(100) |> o @ order::save(8) |> double() |> odd_halves() |> thread::map(|x| x, 4) |> add(1)
            |> order::load(o) |> collect()
    };
    assert_eq!(all, (0..100).filter(|x| x % 2 == 1).map(|x| x + 1).collect::<Vec<_>>());
}

#[test]
fn an_own_stage_with_state_stands_inside_an_order_too() {
    let all: Vec<i32> = pipeline! {
        range(100) |> o @ order::save(8) |> map(|x| x / 3) |> my_stages::dedup(window = 1) |> thread::map(|x| 10 * x, 4)
            |> order::load(o) |> collect()
    };
    assert_eq!(all, (0..34).map(|x| 10 * x).collect::<Vec<_>>());
}

#[test]
fn an_own_stage_may_ask_for_a_stream_without_orders() {
    let groups = pipeline! { range(2) |> marker::insert_periodic(1) |> twice_each() |> partition(2, markers = after) };
    assert_eq!(signals(groups), "[0, 0] * [1, 1] *");
}

#[test]
fn an_own_stage_is_called_by_hand_in_the_same_way() {
    let all: Vec<i32> = tinypl::Pipeline::new(double(add(tinypl::range(0, 3), 1))).collect();
    assert_eq!(all, [2, 4, 6]);
}
