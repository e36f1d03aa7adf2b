//! tinypl under another name: every kind of expansion, and macros for crates that need not know it at all.
pub use pl;

/// An expression, with a queue, a handle and closures.
pub fn doubled(n: i32) -> Vec<i32> {
    pl::pipeline! {
        crate = pl;
        range(n) |> o @ order::save(4) |> thread::map(|x| 2 * x, workers = 2) |> order::load(o) |> collect()
    }
}

/// Process stages, and a word with an argument.
pub fn thirds(n: i32) -> Vec<i32> {
    pl::pipeline! {
        crate = pl;
        range(n) |> o @ order::save(4) |> process::map(|x| (x % 3 == 0).then_some(x / 3), workers = 2, on_death = retry(1))
            |> process::map_init(|| 0, |_, x| x, workers = 1) |> filter_map(|x| x) |> order::load(o) |> collect()
    }
}

/// Tracks in a function's body, `crate` as the first piece.
pub fn first_of_each() -> (Option<i32>, Option<i32>) {
    pl::pipeline! {
        crate = ::pl;
        let mut all = range(9) |> m @ marker::insert_periodic(3);
        let mut odd = all |> filter(|x| x % 2 == 1);
    }
    let first: Vec<i32> = pl::pipeline! { crate = crate::pl; &mut all |> marker::until(m) |> collect() };
    (first.first().copied(), odd.next())
}

/// A block of one's own, in a crate that need not depend on tinypl.
#[macro_export]
macro_rules! squares {
    ($source:expr) => {
        $crate::pl::pipeline! { crate = $crate::pl; $source |> map(|x| x * x) |> collect::<Vec<_>>() }
    };
}

/// Hands a chain through a macro, token by token.
#[macro_export]
macro_rules! sum_of {
    ($($chain:tt)*) => {
        $crate::pl::pipeline! { crate = $crate::pl; $($chain)* |> fold(0, |a, b| a + b) }
    };
}

/// Declares two tracks and a handle, by names of the caller's.
#[macro_export]
macro_rules! tracks_of {
    ($all:ident, $odd:ident, $marker:ident, $n:expr) => {
        $crate::pl::pipeline! {
            crate = $crate::pl;
            let mut $all = range($n) |> $marker @ marker::insert_periodic(3);
            let mut $odd = $all |> filter(|x| x % 2 == 1);
        }
    };
}
