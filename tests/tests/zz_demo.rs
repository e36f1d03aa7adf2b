//! Runs what `language.md` shows, and the corners that a test would probe.
use std::collections::HashSet;
use tinypl::{Like, Pipe, Pipeline, map, pipeline};

/// The own stage of `language.md`, word for word.
fn double<P: Pipe<Item = i32>>(up: P) -> impl Like<P, Item = i32> {
    map(up, |x| 2 * x)
}
/// Two stages, one of them built with the macro over a generic upstream.
fn odd_halves<P: Pipe<Item = i32>>(up: P) -> impl Like<P, Item = i32> {
    tinypl::filter(double(map(up, |x| x / 2)), |x| x % 4 != 0)
}
/// A stage with state, by hand: only `pull`.
mod my_stages {
    use tinypl::{Envelope, Given, Locked, Pipe, Serial, Upstream, stage};
    pub struct Dedup<P: Pipe> {
        up: P,
        window: usize,
        last: Vec<P::Item>,
    }
    pub fn dedup<P: Pipe<Item: PartialEq + Clone>>(up: P) -> Setup<P> {
        Setup(up, 1)
    }
    /// Options first, then the stage: here the setter ends it.
    pub struct Setup<P>(P, usize);
    impl<P: Pipe<Item: PartialEq + Clone>> Setup<P> {
        pub fn window(self, n: usize) -> Locked<Dedup<P>> {
            stage(Dedup { up: self.0, window: n.max(self.1), last: vec![] })
        }
    }
    impl<P: Pipe<Item: PartialEq + Clone>> Serial for Dedup<P> {
        type Item = P::Item;
        type Marker = P::Marker;
        type Tags = P::Tags;
        fn upstream(&mut self) -> Option<&mut dyn Upstream> {
            Some(&mut self.up)
        }
        fn pull(&mut self) -> Option<Given<Self>> {
            loop {
                match self.up.pull()? {
                    Envelope::Item(x, _) if self.last.contains(&x) => {}
                    Envelope::Item(x, g) => {
                        self.last.push(x.clone());
                        let surplus = self.last.len().saturating_sub(self.window);
                        self.last.drain(..surplus);
                        return Some(Envelope::Item(x, g));
                    }
                    mark => return Some(mark),
                }
            }
        }
    }
}
fn flatten_pairs<P: Pipe<Item = i32, Tags = ()>>(up: P) -> impl Like<P, Item = i32> {
    tinypl::flatten(map(up, |x| [x, x]))
}
fn source() -> Pipeline<impl Pipe<Item = i32>> {
    pipeline! { range(10) |> map(|x| x + 1) }
}

#[test]
fn main() {
    // the first example
    let pipe = pipeline! { range(100) |> map(|x| 3 * x + 1) |> filter(|x| x % 2 == 0) |> partition(2) };
    assert_eq!(pipe.take(2).collect::<Vec<_>>(), [[4, 10], [16, 22]]);

    // tracks
    pipeline! {
        let mut mapped = range(100) |> map(|x| x + 1);
        let mut odd    = mapped |> filter(|x| x % 2 == 1);
        let mut even   = mapped |> filter(|x| x % 2 == 0);
    }
    assert_eq!(mapped.next(), Some(1));
    assert_eq!(odd.next(), Some(3));
    assert_eq!(even.next(), Some(4));
    assert_eq!(even.next(), Some(6));
    assert_eq!(mapped.next(), Some(7));

    // FnMut, references, temporaries in the source, method calls on inferred arguments
    let mut seen = HashSet::new();
    let words = || String::from("a b a c");
    let v: Vec<String> = pipeline! { words().split(' ') |> filter(|w| seen.insert(w.to_string())) |> map(|w| w.to_uppercase()) |> collect::<Vec<_>>() };
    assert_eq!(v, ["A", "B", "C"]);

    // threads, an order across the queue, markers, own stages in between
    let k = 3;
    pipeline! {
        let mut pipe = range(20)
            |> m @ marker::insert_periodic(5)
            |> o @ order::save(8)
            |> map(move |x| x * k)
            |> double()
            |> odd_halves()
            |> q @ thread::queue(4, maxsize = 16)
            |> order::load(o);
    }
    assert_eq!((q.workers(), q.maxsize()), (4, 16));
    let one: Vec<_> = pipeline! { &mut pipe |> marker::until(m) |> collect::<Vec<_>>() };
    assert_eq!(one, [6, 18]);
    o.set_maxsize(16);
    let two: Vec<_> = pipeline! { &mut pipe |> marker::until() |> collect() };
    assert_eq!(two, [30, 42, 54]);
    let mut groups = pipeline! { pipe |> partition(3, markers = before) };
    assert_eq!(groups.next(), Some(vec![66, 78, 90]));

    // an expression block with an order of its own, nested orders
    let all: Vec<_> = pipeline! {
        range(50) |> a @ order::save(8) |> b @ order::save(4) |> thread::map(|x| x + 1, workers = 3) |> order::load(b) |> order::load(a) |> collect::<Vec<_>>()
    };
    assert_eq!(all, (1..51).collect::<Vec<_>>());

    // borrowed data in a scope
    let text = String::from("x y z");
    let n = std::thread::scope(
        |s| pipeline! { text.split(' ') |> thread::map(|w| w.len() + text.len(), workers = 2, scope = s) |> fold(0, |a, b| a + b) },
    );
    assert_eq!(n, 18);

    // FnMut above a mutex above a queue; a state for each worker, not even Send
    let mut sum = 0;
    let v =
        pipeline! { range(10) |> map(move |x| { sum += x; sum }) |> thread::mutex() |> thread::queue(2) |> count() };
    assert_eq!(v, 10);
    let v =
        pipeline! { range(10) |> thread::map_init(|| std::rc::Rc::new(1), |s, x| **s + x, 2) |> fold(0, |a, b| a + b) };
    assert_eq!(v, 55);

    // a function that returns a pipeline, below a queue
    let v = pipeline! { source() |> map(|x| x) |> fold(0, |a, b| a + b) };
    assert_eq!(v, 55);

    // the second half in another block: a closure that is `Fn` may be pulled by a queue there
    let first = pipeline! { range(10) |> map(|x| x + 1) |> filter(|x| *x > 2) };
    let v = pipeline! { first |> thread::queue(2) |> fold(0, |a, b| a + b) };
    assert_eq!(v, 52);
    let opaque = pipeline! { source() |> thread::mutex() |> thread::queue(2) |> count() };
    assert_eq!(opaque, 10);

    // own stage by path
    let v: Vec<_> = pipeline! { vec![1, 1, 2, 2, 1] |> my_stages::dedup(window = 1) |> collect() };
    assert_eq!(v, [1, 2, 1]);

    // positions and hygiene
    let (f, s, up) = (1, 2, 3);
    for x in pipeline! { range(3) |> map(move |x| x + f + s + up) |> enumerate() } {
        assert_eq!(x.1, x.0 as i32 + 6);
    }
    pipeline! { range(3) |> for_each(|x| assert!(x < 3)) }
    let n = pipeline!(std::iter::repeat(1) |> take(n = 4) |> count());
    assert_eq!(n, 4);
    macro_rules! twice {
        ($e:expr) => {
            pipeline! { $e |> map(|x| 2 * x) |> collect::<Vec<_>>() }
        };
    }
    assert_eq!(twice!(1..3), [2, 4]);
    let nested: Vec<i32> =
        pipeline! { range(3) |> map(|x| pipeline! { range(x) |> fold(0, |a, b| a + b) }) |> collect() };
    assert_eq!(nested, [0, 0, 1]);
    let tap = |up| tinypl::each(up, |x: &i32| assert!(*x >= 0));
    assert_eq!(pipeline! { range(3) |> tap() |> count() }, 3);
    let mut pipe = pipeline! { range(10) |> flatten_pairs() };
    assert_eq!(pipeline! { pipe.by_ref() |> take(3) |> collect::<Vec<_>>() }, [0, 0, 1]);
    let r = &mut pipe;
    assert_eq!(pipeline! { r |> take(1) |> collect::<Vec<_>>() }, [1]);
    pipeline! {
        let total = range(4) |> count();
        let mut more = range(3) |> map(move |x| x + total as i32);
    }
    assert_eq!(more.next(), Some(4));

    // errors: the stage, its file and line, the item's number
    let r = pipeline! {
        range(10)
            |> map(|x| x - 1)
            |> try_map(|x| if x < 5 { Ok(x) } else { Err(format!("{x} is too large")) })
            |> try_collect::<Vec<_>>()
    };
    println!("{}", r.unwrap_err());
    std::panic::set_hook(Box::new(|_| ()));
    let mut p = pipeline! {
        range(10)
            |> filter(|x| x % 2 == 1)
            |> map(|x| if x < 7 { x } else { panic!("no {x}") })
            |> thread::queue(2)
    };
    let _ = std::panic::take_hook();
    println!("{}", std::iter::from_fn(|| p.try_next().transpose()).find_map(Result::err).unwrap());

    println!("ok");
}
