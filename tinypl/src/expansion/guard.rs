//! The macro's checks. Each is a call that spans one token of the user's, stands before the stage that would fail, and
//! gives the stream back as `Held<P>`. Two impls (`Yes`, `No`) match every type by their heads (both must be blanket), so
//! where the demand is not met rustc reports the demand itself, with our message, and `Held<P>` stays an inference
//! variable: what follows is ambiguous, not wrong, and so not reported.
use super::closure::Item;
use super::{Impossible, No, Yes};
use crate::func::Exclusive;
use crate::locked::Locked;
use crate::marker::Has;
use crate::pipe::Pipe;
use crate::post::Post;
use crate::stage::debug::Message;
use crate::stage::order::{Order, Top};
use crate::stage::{self, All, Number, TryMap};
use std::convert::Infallible;
use std::error::Error as StdError;
use std::marker::PhantomData;
use std::ops::{Deref, Range};

// `$known`: the type that must be known before the demand is judged; `No` is impossible for it alone, or rustc would drop
// `No` and commit to `Yes` too early.
macro_rules! demand {
    ($name:ident, [$($p:ident),*], $known:ident; $message:literal, $label:literal, $note:literal) => {
        #[diagnostic::on_unimplemented(message = $message, label = $label, note = $note)]
        pub trait $name<$($p,)* K> {
            type Held<P: Pipe>: Pipe;
            fn hold<P: Pipe>(p: P) -> Self::Held<P>;
        }

        #[diagnostic::do_not_recommend]
        impl<T $(, $p)*> $name<$($p,)* No> for T where $known: Impossible {
            met!();
        }
    };
}
macro_rules! met {
    () => {
        type Held<P: Pipe> = P;

        #[inline]
        fn hold<P: Pipe>(p: P) -> P {
            p
        }
    };
}

pub trait Same<T> {}
impl<T> Same<T> for T {}

demand!(SendItem, [], T; "`{Self}` can't pass a queue", "this queue's items are not `Send`",
    "send what is `Send` (an `Arc` for an `Rc`?), or make it below the queue");
#[diagnostic::do_not_recommend]
impl<T: Send> SendItem<Yes> for T {
    met!();
}
#[inline]
pub fn send_items<P: Pipe<Item: SendItem<K>>, K>(up: P) -> <P::Item as SendItem<K>>::Held<P> {
    <P::Item as SendItem<K>>::hold(up)
}

demand!(Unmarked, [], T; "`partition` on a stream that carries markers",
    "where should a marker go: before or after the items of its group?",
    "say so: `partition(n, markers = before)` or `markers = after`");
#[diagnostic::do_not_recommend]
impl<T: Same<Infallible>> Unmarked<Yes> for T {
    met!();
}
#[inline]
pub fn unmarked<P: Pipe<Marker: Unmarked<K>>, K>(up: P) -> <P::Marker as Unmarked<K>>::Held<P> {
    <P::Marker as Unmarked<K>>::hold(up)
}

demand!(Unordered, [], T; "this stage can't stand between `order::save` and `order::load`",
    "the items' places in the order would be lost here", "put `order::load(…)` before it");
#[diagnostic::do_not_recommend]
impl<T: Same<()>> Unordered<Yes> for T {
    met!();
}
#[inline]
pub fn unordered<P: Pipe<Tags: Unordered<K>>, K>(up: P) -> <P::Tags as Unordered<K>>::Held<P> {
    <P::Tags as Unordered<K>>::hold(up)
}

demand!(Saved, [B], T; "the order `{B}` can't be loaded here",
    "the order last saved above (and not yet loaded) is not this one",
    "save it upstream, `{B} @ order::save(n)`, and load nested orders innermost first");
#[diagnostic::do_not_recommend]
impl<T: Top<B>, B> Saved<B, Yes> for T {
    met!();
}
#[inline]
pub fn saved<B, P: Pipe<Tags: Saved<B, K>>, K>(_: &Order<B>, up: P) -> <P::Tags as Saved<B, K>>::Held<P> {
    <P::Tags as Saved<B, K>>::hold(up)
}

demand!(Inserted, [M], T; "the marker `{M}` is not inserted upstream", "no such marker in this stream",
    "insert it in this stream: `m @ marker::insert_periodic(n)`");
#[diagnostic::do_not_recommend]
impl<T: Has<M, I>, M, I> Inserted<M, (Yes, I)> for T {
    met!();
}
#[inline]
pub fn inserted<M, P: Pipe<Marker: Inserted<M, K>>, K>(_: M, up: P) -> <P::Marker as Inserted<M, K>>::Held<P> {
    <P::Marker as Inserted<M, K>>::hold(up)
}

demand!(Nested, [], T; "`{Self}` has no items to flatten", "this stream's items are `{Self}`",
    "`flatten` takes items that are `IntoIterator`: a `Vec`, an `Option`, …");
#[diagnostic::do_not_recommend]
impl<T: IntoIterator> Nested<Yes> for T {
    met!();
}
#[inline]
pub fn nested<P: Pipe<Item: Nested<K>>, K>(up: P) -> <P::Item as Nested<K>>::Held<P> {
    <P::Item as Nested<K>>::hold(up)
}

/// What `zip` asks of the other stream.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no items to zip with",
    label = "neither a pipeline nor anything else that is `IntoIterator`"
)]
pub trait Zips<K> {
    type Held: IntoIterator;
    fn hold(self) -> Self::Held;
}

#[diagnostic::do_not_recommend]
impl<I: IntoIterator> Zips<Yes> for I {
    type Held = I;

    #[inline]
    fn hold(self) -> I {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<I: IntoIterator + Impossible> Zips<No> for I {
    type Held = I;

    fn hold(self) -> I {
        self
    }
}

#[inline]
pub fn zips<I: Zips<K>, K>(other: I) -> I::Held {
    other.hold()
}

/// What `chain` asks of the other stream.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no items to go on with after `{A}`",
    label = "neither a pipeline of `{A}` nor anything else that is `IntoIterator<Item = {A}>`"
)]
pub trait Chains<A, K> {
    type Held: IntoIterator<Item = A>;
    fn hold(self) -> Self::Held;
}

#[diagnostic::do_not_recommend]
impl<A, I: IntoIterator<Item = A>> Chains<A, Yes> for I {
    type Held = I;

    #[inline]
    fn hold(self) -> I {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<A, I: IntoIterator<Item = A> + Impossible> Chains<A, No> for I {
    type Held = I;

    fn hold(self) -> I {
        self
    }
}

#[inline]
pub fn chains<A, I: Chains<A, K>, K>(_: Item<A>, other: I) -> I::Held {
    other.hold()
}

/// What `order::load` is told.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an order",
    label = "not an order",
    note = "`o @ order::save(n)` makes one, which `order::load(o)` needs"
)]
pub trait AnOrder<K> {
    type Brand;
    fn order(&self) -> &Order<Self::Brand>;
}

pub trait IsOrder {
    type Brand;
    fn order(&self) -> &Order<Self::Brand>;
}

impl<B> IsOrder for Order<B> {
    type Brand = B;

    #[inline]
    fn order(&self) -> &Self {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<O: IsOrder> AnOrder<Yes> for O {
    type Brand = O::Brand;

    #[inline]
    fn order(&self) -> &Order<O::Brand> {
        IsOrder::order(self)
    }
}

#[diagnostic::do_not_recommend]
impl<O: IsOrder + Impossible> AnOrder<No> for O {
    type Brand = O::Brand;

    fn order(&self) -> &Order<O::Brand> {
        IsOrder::order(self)
    }
}

#[inline]
pub fn an_order<O: AnOrder<K>, K>(order: &O) -> &Order<O::Brand> {
    order.order()
}

/// What `debug::print_on_item` prints.
#[diagnostic::on_unimplemented(
    message = "`debug::print_on_item` can't print this",
    label = "neither text nor a function that makes it of `&{T}`"
)]
pub trait Says<T, K> {
    type Held;
    fn hold(self) -> Self::Held;
}

#[diagnostic::do_not_recommend]
impl<T, M: Message<T, K>, K> Says<T, (Yes, K)> for M {
    type Held = M;

    #[inline]
    fn hold(self) -> M {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<T, M: Impossible> Says<T, No> for M {
    type Held = M;

    fn hold(self) -> M {
        self
    }
}

/// The function of a message, which one thread at a time calls.
#[inline]
pub fn exclusive<F>(f: F) -> Exclusive<F> {
    Exclusive::new(f)
}

#[inline]
pub fn says<T, M: Says<T, K>, K>(_: Item<T>, message: M) -> M::Held {
    message.hold()
}

/// What the function of an own stage may take: `A` is whatever it takes, until [`Given::fits`] has looked. So a function of something
/// else is no type error of rustc's, which would know its result all the same and judge that, too.
pub trait Takes<A, K> {
    fn take(self) -> A;
}

impl<P> Takes<P, Yes> for P {
    #[inline]
    fn take(self) -> P {
        self
    }
}

impl<P, A> Takes<A, No> for P {
    fn take(self) -> A {
        unreachable!("what does not fit does not compile")
    }
}

/// That `P` was given where `A` is taken.
#[derive(Debug)]
pub struct Given<P, A, K>(Taken<A>, PhantomData<(P, K)>);
#[derive(Debug)]
pub struct Taken<A>(PhantomData<A>);
#[derive(Debug)]
pub struct Stream;

#[inline]
pub fn give<P: Takes<A, K>, A, K>(up: P) -> (A, Given<P, A, K>) {
    (up.take(), Given(Taken(PhantomData), PhantomData))
}

impl<P> Given<P, P, Yes> {
    #[inline]
    pub fn fits(&self) -> Taken<Stream> {
        Taken(PhantomData)
    }
}

impl<P, A, K> Deref for Given<P, A, K> {
    type Target = Taken<A>;

    fn deref(&self) -> &Taken<A> {
        &self.0
    }
}

impl<A> Taken<A> {
    pub fn fits(&self) -> Self {
        Self(PhantomData)
    }
}

/// What the function of an own stage takes.
#[diagnostic::on_unimplemented(
    message = "this function takes `{Self}`, not a stream",
    label = "this function is not a stage",
    note = "a stage takes a stream and gives one: `fn own<P: Pipe>(up: P) -> impl Pipe`; a function of an item goes into one: `map(f)`"
)]
pub trait Fits<K> {
    type Held<R>;
    fn hold<R>(stage: R) -> Self::Held<R>;
}

#[diagnostic::do_not_recommend]
impl Fits<Yes> for Stream {
    type Held<R> = R;

    #[inline]
    fn hold<R>(stage: R) -> R {
        stage
    }
}

#[diagnostic::do_not_recommend]
impl<A: Impossible> Fits<Yes> for A {
    type Held<R> = R;

    fn hold<R>(stage: R) -> R {
        stage
    }
}

#[diagnostic::do_not_recommend]
impl<A: Impossible> Fits<No> for A {
    type Held<R> = R;

    fn hold<R>(stage: R) -> R {
        stage
    }
}

/// What a function gave that takes a stream.
#[inline]
pub fn given<R, A: Fits<K>, K>(stage: R, _: Taken<A>) -> A::Held<R> {
    A::hold(stage)
}

/// What an own stage gives.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a stream",
    label = "this function is not a stage",
    note = "a stage takes a stream and gives one: `fn own<P: Pipe>(up: P) -> impl Pipe`; a function of an item goes into one: `map(f)`"
)]
pub trait Own<K> {
    type Held: Pipe;
    fn hold(self) -> Self::Held;
}

#[diagnostic::do_not_recommend]
impl<P: Pipe> Own<Yes> for P {
    type Held = P;

    #[inline]
    fn hold(self) -> P {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<P: Pipe + Impossible> Own<No> for P {
    type Held = P;

    fn hold(self) -> P {
        self
    }
}

#[inline]
pub fn own<P: Own<K>, K>(stage: P) -> P::Held {
    stage.hold()
}

/// What a queue asks of its upstream.
#[diagnostic::on_unimplemented(
    message = "several threads can't pull what stands above this queue",
    label = "its items or its source are not `Send`, or a stage of yours is not `Sync`",
    note = "an item that is not `Send` (an `Rc`?) can't pass a queue; a stage that one thread at a time may pull needs `thread::mutex()` after it"
)]
pub trait Pullable<K> {
    type Held: Pipe;
    fn hold(self) -> Self::Held;
}

#[diagnostic::do_not_recommend]
impl<P: Pipe<Item: Send> + Send + Sync> Pullable<Yes> for P {
    type Held = P;

    #[inline]
    fn hold(self) -> P {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<P: Pipe + Impossible> Pullable<No> for P {
    type Held = P;

    fn hold(self) -> P {
        self
    }
}

#[inline]
pub fn pullable<P: Pullable<K>, K>(up: P) -> P::Held {
    up.hold()
}

/// What a process stage asks of its upstream.
#[diagnostic::on_unimplemented(
    message = "another thread can't pull what stands above this stage",
    label = "the source is not `Send`, or a function above holds what is not",
    note = "one thread feeds the workers: hold what is `Send` (an `Arc` for an `Rc`?)"
)]
pub trait Sendable<K> {
    type Held: Pipe;
    fn hold(self) -> Self::Held;
}

#[diagnostic::do_not_recommend]
impl<P: Pipe + Send> Sendable<Yes> for P {
    type Held = P;

    #[inline]
    fn hold(self) -> P {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<P: Pipe + Impossible> Sendable<No> for P {
    type Held = P;

    fn hold(self) -> P {
        self
    }
}

#[inline]
pub fn sendable<P: Sendable<K>, K>(up: P) -> P::Held {
    up.hold()
}

/// What `range` asks of its ends, which come as one: of two arguments rustc would judge the first before it knows the other.
#[diagnostic::on_unimplemented(
    message = "`{Self}` are not the ends of a range",
    label = "`range` takes integers of one type"
)]
pub trait Ends<K> {
    type Held;
    fn range(self) -> Self::Held;
}

pub trait AreEnds {
    type Range;
    fn range(self) -> Self::Range;
}

impl<T: Number> AreEnds for (T, T)
where
    Range<T>: Iterator<Item = T>,
{
    type Range = Locked<All<Range<T>>>;

    #[inline]
    #[track_caller]
    fn range(self) -> Self::Range {
        stage::range(self.0, self.1)
    }
}

#[diagnostic::do_not_recommend]
impl<E: AreEnds> Ends<Yes> for E {
    type Held = E::Range;

    #[inline]
    #[track_caller]
    fn range(self) -> Self::Held {
        AreEnds::range(self)
    }
}

#[diagnostic::do_not_recommend]
impl<E: Impossible> Ends<No> for E {
    type Held = ();

    fn range(self) {}
}

/// [`range`](stage::range), checked.
#[inline]
#[track_caller]
pub fn range<E: Ends<K>, K>(ends: E) -> E::Held {
    ends.range()
}

/// What `try_map` asks of its function's error.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an error",
    label = "this function's `Err` holds `{Self}`",
    note = "let it hold a `std::error::Error`, or the text of one: `.map_err(|error| error.to_string())`"
)]
pub trait Fails<K> {
    type Held<S>;
    fn hold<S>(stage: S) -> Self::Held<S>;
}

#[diagnostic::do_not_recommend]
impl<E: Into<Box<dyn StdError + Send + Sync>>> Fails<Yes> for E {
    type Held<S> = S;

    #[inline]
    fn hold<S>(stage: S) -> S {
        stage
    }
}

#[diagnostic::do_not_recommend]
impl<E: Impossible> Fails<No> for E {
    type Held<S> = S;

    fn hold<S>(stage: S) -> S {
        stage
    }
}

/// [`try_map`](stage::try_map), checked.
#[inline]
#[track_caller]
pub fn try_map<P: Pipe, F: Fn(P::Item) -> Result<R, E>, R, E: Fails<K>, K>(up: P, f: F) -> E::Held<TryMap<P, F>> {
    E::hold(TryMap { up, f, failed: None, post: Post::here("try_map") })
}

/// [`try_map_mut`](stage::try_map_mut), checked.
#[inline]
#[track_caller]
pub fn try_map_mut<P, F, R, E, K>(up: P, f: F) -> E::Held<TryMap<P, Exclusive<F>>>
where
    P: Pipe,
    F: FnMut(P::Item) -> Result<R, E>,
    E: Fails<K>,
{
    E::hold(TryMap { up, f: Exclusive::new(f), failed: None, post: Post::here("try_map") })
}
