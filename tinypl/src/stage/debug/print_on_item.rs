//! `debug::print_on_item(msg)`: run by whoever pulls.
use crate::func::Exclusive;
use crate::monitor::Survey;
use crate::pipe::{Below, Envelope, Pipe, Pulled, Signal, Stepped, Watched, Way, through};
use crate::post::{Call, Post};
use std::fmt::{self, Display};
use std::marker::PhantomData;

/// Prints to stdout before a pull and after it: `PIPE: pulling …` and `PIPE: returning …`.
///
/// `msg` is text, which stands in both lines, or a function of the item (something to print made of `&item`), which stands
/// in the second. Above a queue several threads print, each before it takes an item and after.
///
/// ```
/// use tinypl::{debug, pipeline};
///
/// let n = pipeline! { range(2) |> debug::print_on_item("from the source") |> count() };
/// // PIPE: pulling   from the source
/// // PIPE: returning from the source
/// // …
/// let n = n + pipeline! { range(2) |> debug::print_on_item(|x| format!("item {x}")) |> count() };
/// // PIPE: pulling
/// // PIPE: returning item 0
/// // …
/// assert_eq!(n, 4);
/// ```
///
/// # Panics
/// A panic of `msg` ends the pipeline with an [`Error`](crate::Error) that names this stage and the item.
#[track_caller]
pub fn print_on_item<P: Pipe, M: Message<P::Item, K>, K>(up: P, msg: M) -> PrintOnItem<P, M, K> {
    PrintOnItem { up, msg, post: Post::here("debug::print_on_item"), kind: PhantomData }
}

/// [`print_on_item`] for a function that changes what it captured: one thread at a time pulls it.
///
/// ```
/// use tinypl::{Pipeline, debug, range};
///
/// let mut n = 0;
/// let numbered = debug::print_on_item_mut(range(0, 2), |x| { n += 1; format!("{n}: {x}") });
/// assert_eq!(Pipeline::new(numbered).count(), 2);
/// assert_eq!(n, 2);
/// ```
#[track_caller]
pub fn print_on_item_mut<P, F, R>(up: P, f: F) -> PrintOnItem<P, Exclusive<F>, FunctionMut>
where
    P: Pipe,
    F: FnMut(&P::Item) -> R,
    R: Display,
{
    print_on_item(up, Exclusive::new(f))
}

/// What [`print_on_item`] prints: text, or a function of the item. `K` tells them apart.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no message: it should be text, or a function that makes it of `&{T}`",
    label = "neither text nor a function of `&{T}`"
)]
pub trait Message<T, K> {
    #[doc(hidden)]
    fn before(&self);
    /// By one of several pullers.
    #[doc(hidden)]
    fn after(&self, item: &T);
    /// By the one puller.
    #[doc(hidden)]
    fn after_mut(&mut self, item: &T) {
        self.after(item);
    }
}

/// A message that is text.
#[derive(Clone, Copy, Debug)]
pub struct Text;

/// A message that is a function.
#[derive(Clone, Copy, Debug)]
pub struct Function;

/// A message that is a function, which changes what it captured.
#[derive(Clone, Copy, Debug)]
pub struct FunctionMut;

#[diagnostic::do_not_recommend]
impl<T, M: Display> Message<T, Text> for M {
    fn before(&self) {
        println!("PIPE: pulling   {self}");
    }

    fn after(&self, _: &T) {
        println!("PIPE: returning {self}");
    }
}

#[diagnostic::do_not_recommend]
impl<T, M: Fn(&T) -> R, R: Display> Message<T, Function> for M {
    fn before(&self) {
        println!("PIPE: pulling");
    }

    fn after(&self, item: &T) {
        println!("PIPE: returning {}", self(item));
    }
}

#[diagnostic::do_not_recommend]
impl<T, F: FnMut(&T) -> R, R: Display> Message<T, FunctionMut> for Exclusive<F> {
    fn before(&self) {
        println!("PIPE: pulling");
    }

    fn after(&self, _: &T) {
        unreachable!("a stage with an exclusive function is not Sync")
    }

    fn after_mut(&mut self, item: &T) {
        println!("PIPE: returning {}", (self.0)(item));
    }
}

/// The stage of [`print_on_item`].
#[must_use = "a stage does nothing until it is pulled"]
pub struct PrintOnItem<P, M, K> {
    up: P,
    msg: M,
    post: Post,
    kind: PhantomData<fn() -> K>,
}

impl<P: Pipe, M, K> PrintOnItem<P, M, K> {
    /// The same over another upstream.
    pub(crate) fn over<Q>(self, f: impl FnOnce(P) -> Q) -> PrintOnItem<Q, M, K> {
        PrintOnItem { up: f(self.up), msg: self.msg, post: self.post, kind: PhantomData }
    }
}

impl<P: Pipe, F> PrintOnItem<P, Exclusive<F>, FunctionMut> {
    /// The same with a function that several threads may call.
    pub(crate) fn shared(self) -> PrintOnItem<P, F, Function> {
        PrintOnItem { up: self.up, msg: self.msg.0, post: self.post, kind: PhantomData }
    }
}

/// Prints the item, if it is one.
fn show<P: Pipe>(signal: &Signal<P>, post: &Post, number: u64, print: impl FnOnce(&P::Item)) {
    if let Envelope::Item(x, _) = signal {
        let at = Call::by::<Watched>(post, Some(number)).begin();
        print(x);
        at.left();
    }
}

impl<P: Pipe, M: Message<P::Item, K>, K> Pipe for PrintOnItem<P, M, K> {
    type Item = P::Item;
    type Marker = P::Marker;
    type Tags = P::Tags;
    type Local = P::Local;
    const ANNOUNCES: bool = true;
    through!(bottom);
    through!(finish);

    fn pull_by<W: Way>(&mut self) -> Pulled<Self> {
        self.msg.before();
        let signal = W::pull(&mut self.up)?;
        let number = self.up.number();
        show::<P>(&signal, &self.post, number, |x| self.msg.after_mut(x));
        Some(signal)
    }

    fn step(&self, local: &mut P::Local, signal: Below<Self>, number: u64) -> Stepped<Self> {
        let signal = self.up.step(local, signal, number)?;
        if let Some(signal) = &signal {
            show::<P>(signal, &self.post, number, |x| self.msg.after(x));
        }
        Ok(signal)
    }

    fn survey(&self, survey: &mut Survey) {
        self.up.survey(survey);
        survey.stage(&self.post);
    }

    fn announce(&self) {
        self.msg.before();
        self.up.announce();
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.up.size_hint()
    }
}

impl<P: fmt::Debug, M, K> fmt::Debug for PrintOnItem<P, M, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrintOnItem").field("site", &self.post).field("up", &self.up).finish()
    }
}
