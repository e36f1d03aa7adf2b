//! The macro of [tinypl](https://docs.rs/tinypl): use it as `tinypl::pipeline!`.
//!
//! Tokens become a tree (`ast`, `parse`), which is checked (`check`, with `bind` for the arguments and `flow` for orders
//! and markers) against the table of built-in stages (`vocabulary`) and written out (`expand`, `call`, and `function` with
//! `plain` and `pointer` for closures); what has a mistake is replaced by its error (`fallback`).

#![forbid(unsafe_code)]

mod ast;
mod bind;
mod call;
mod check;
mod expand;
mod fallback;
mod flow;
mod function;
mod names;
mod parse;
mod plain;
mod pointer;
#[cfg(test)]
mod tests;
mod vocabulary;

/// Builds a pipeline: a source and what is done with its items, joined by `|>`.
///
/// ```
/// use tinypl::pipeline;
///
/// let mut pipe = pipeline! { range(100) |> map(|x| 3 * x + 1) |> filter(|x| x % 2 == 0) |> partition(2) };
/// assert_eq!(pipe.next(), Some(vec![4, 10]));
/// ```
///
/// # Sources
///
/// The built-in `range(n)`, `range(a, b)`, `range(a, b, step)` and `dataloader::load(…)`; a `Pipeline`, with its markers and orders, or `&mut`
/// of one; and whatever is `IntoIterator`.
///
/// ```
/// # use tinypl::pipeline;
/// let text = String::from("a b c d");
/// let mut words = pipeline! { text.split(' ') |> map(str::to_uppercase) };
/// let two: Vec<_> = pipeline! { &mut words |> take(2) |> collect() };
/// assert_eq!(two, ["A", "B"]);
/// assert_eq!(words.next().as_deref(), Some("C"));
/// ```
///
/// # Stages
///
/// A built-in stage by its name, or any function in scope by its path. Arguments are positional or named, in that order,
/// as in Python; empty parentheses may be left out. `|> path(a, b = c)` calls `path(upstream, a)` and then `.b(c)` of what
/// that returns, so a stage of one's own is a function:
///
/// ```
/// use tinypl::{Like, Pipe, map, pipeline};
///
/// fn double<P: Pipe<Item = i32>>(up: P) -> impl Like<P, Item = i32> {
///     map(up, |x| 2 * x)
/// }
///
/// let pipe = pipeline! { 1..4 |> double() |> thread::queue(workers = 1) };
/// assert_eq!(pipe.collect::<Vec<_>>(), [2, 4, 6]);
/// ```
///
/// A built-in wins over a function of the same name, which is `self::map` then.
///
/// # Threads and processes
///
/// `thread::map`, `thread::each` and `thread::map_init` run a function in threads, `thread::queue` what stands above it.
/// `process::map`, `process::each`, `process::map_init` and `process::map_with` run one in worker processes, and need no more
/// than the other word: the function captures nothing, items and results are `Serialize` and `Deserialize`.
///
/// ```
/// # use tinypl::pipeline;
/// let primes = vec![2, 3, 5, 7];
/// let divisors: Vec<usize> = pipeline! {
///     range(100u32)
///     |> o @ order::save(16)
///     |> process::map_with(primes, |primes, n| primes.iter().filter(|p| n % **p == 0).count(), workers = 2)
///     |> order::load(o)
///     |> collect()
/// };
/// assert_eq!(divisors[30], 3);
/// ```
///
/// # The data loader
///
/// `dataloader::load(dataset, batchsize)` is a source: batches of a dataset's samples, epoch after epoch. With a name it has a marker
/// at the end of each epoch. A `sampler::…` there is the one of `tinypl::dataloader`.
///
/// ```
/// # use tinypl::pipeline;
/// pipeline! {
///     let mut batches = e @ dataloader::load(vec!['a', 'b', 'c'], batchsize = 2, sampler = sampler::shuffle(42),
///                                            map = thread(workers = 2), collate = String::from_iter, epoch_end = keep_last);
/// }
/// let epoch: Vec<String> = pipeline! { &mut batches |> marker::until(e) |> collect() };
/// assert_eq!(epoch.concat().len(), 3);
/// ```
///
/// # Words
///
/// Where an option takes one of a few things, these have names: `on_worker_error = exit`, `markers = before`. A name may
/// take arguments, as a stage does. Parentheses around make it a Rust value.
///
/// ```
/// # use tinypl::{pipeline, process::OnDeath};
/// let retry = OnDeath::Skip;
/// let crash = |x: u32| if x == 3 { std::process::abort() } else { x };
/// let n = pipeline! {
///     range(5)
///     |> process::map(|x| x + 1, workers = 1, on_death = retry(2))   // the word
///     |> process::map(crash, workers = 1, on_death = (retry))        // the variable
///     |> count()
/// };
/// assert_eq!(n, 4);
/// ```
///
/// # Handles
///
/// `name @ stage` binds the stage's handle: an order, a marker, or what shows and adjusts a running stage.
///
/// ```
/// # use tinypl::pipeline;
/// let squares: Vec<u64> = pipeline! {
///     range(50u64)
///     |> o @ order::save(16)
///     |> thread::map(|x| x * x, workers = 4)
///     |> order::load(o)
///     |> collect()
/// };
/// assert!(squares.is_sorted());
/// ```
///
/// # Sinks
///
/// A chain may end in `collect::<C>()`, `for_each(f)`, `fold(init, f)`, `count()`, `try_collect::<C>()` or
/// `try_for_each(f)`. Then it runs, and the block's value is the result. Without a sink it is a `Pipeline`, an `Iterator`.
///
/// # Tracks
///
/// A block of `let` stands where a statement may stand. It declares its tracks and the names bound by `@`. A track that
/// another one pulls from is shared: whoever pulls takes the next item.
///
/// ```
/// # use tinypl::pipeline;
/// pipeline! {
///     let mut all = range(100) |> map(|x| x + 1) |> m @ marker::insert_periodic(10);
///     let mut odd = all |> filter(|x| x % 2 == 1);
/// }
/// assert_eq!(odd.next(), Some(1));
/// assert_eq!(all.next(), Some(2));
/// let rest_of_ten = pipeline! { &mut odd |> marker::until(m) |> collect::<Vec<_>>() };
/// assert_eq!(rest_of_ten, [3, 5, 7, 9]);
/// ```
///
/// With a chain after the tracks the block is an expression, and the tracks are its own.
///
/// # In other macros
///
/// What the block becomes names the crate `::tinypl`. `crate = path;` as the first piece names it otherwise, for a macro
/// whose users need not depend on tinypl:
///
/// ```
/// pub mod reexported {
///     pub use tinypl;
/// }
///
/// macro_rules! squares {
///     ($source:expr) => {
///         tinypl::pipeline! { crate = $crate::reexported::tinypl; $source |> map(|x| x * x) |> collect::<Vec<_>>() }
///     };
/// }
/// # fn main() {
/// assert_eq!(squares!(1..4), [1, 4, 9]);
/// # }
/// ```
#[proc_macro]
pub fn pipeline(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    block(input.into()).into()
}

fn block(input: proc_macro2::TokenStream) -> proc_macro2::TokenStream {
    let block = parse::block(input);
    expand::block(&block, &check::block(&block))
}
