//! The macro's checks. Each is a call that spans one token of the user's, stands before the stage that would fail, and
//! gives the stream back as `Held<P>`. Two impls (`Yes`, `No`) match every type by their heads (both must be blanket), so
//! where the demand is not met rustc reports the demand itself, with our message, and `Held<P>` stays an inference
//! variable: what follows is ambiguous, not wrong, and so not reported.
use super::{Impossible, No, Yes};
use crate::marker::Has;
use crate::pipe::Pipe;
use crate::stage::order::{Order, Top};
use std::convert::Infallible;

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
