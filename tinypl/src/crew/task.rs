//! What a worker runs for an item: the forms of `f` that the stages take. All are plain functions, which are the same in
//! every process of an executable; what varies travels as the context.
use super::entry::address;
use super::why::decode;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::mem::transmute;

/// One form. It is made of function pointers alone.
pub(crate) trait Task: Copy + Send + Sync {
    /// Sent once to each worker.
    type Context: DeserializeOwned;
    /// Made in the worker.
    type State;
    type In: Serialize + DeserializeOwned;
    /// What travels back.
    type Reply: Serialize + DeserializeOwned;
    /// What the stage gives.
    type Out;

    fn addresses(self) -> Vec<usize>;

    /// The task in a worker, from the offsets of its [`addresses`](Self::addresses).
    ///
    /// # Safety
    /// They are of this very type, in a process of this same executable.
    unsafe fn at(offsets: &[i64]) -> Option<Self>;

    fn run(self, context: &Self::Context, state: &mut Option<Self::State>, item: Self::In) -> Self::Reply;

    /// The stage's item, from the encoded one that was sent and the reply.
    ///
    /// # Errors
    /// When the item can't be decoded: why.
    fn out(sent: &[u8], reply: Self::Reply) -> Result<Self::Out, String>;
}

macro_rules! addresses {
    ($($name:ident: $function:ty),*) => {
        fn addresses(self) -> Vec<usize> {
            vec![$(self.$name as usize),*]
        }

        unsafe fn at(offsets: &[i64]) -> Option<Self> {
            let &[$($name),*] = offsets else { return None };
            $(
                // SAFETY: the address of a function of this type, says the caller
                let $name = unsafe { transmute::<usize, $function>(address($name)) };
            )*
            Some(Self { $($name),* })
        }
    };
}

/// `process::map(f)`
#[derive(Debug)]
pub(crate) struct Map<I, O> {
    pub(crate) f: fn(I) -> O,
}

impl<I, O> Task for Map<I, O>
where
    I: Serialize + DeserializeOwned,
    O: Serialize + DeserializeOwned,
{
    type Context = ();
    type State = ();
    type In = I;
    type Reply = O;
    type Out = O;
    addresses!(f: fn(I) -> O);

    fn run(self, (): &(), _: &mut Option<()>, item: I) -> O {
        (self.f)(item)
    }

    fn out(_: &[u8], reply: O) -> Result<O, String> {
        Ok(reply)
    }
}

/// `process::each(f)`. The item need not travel back: what was sent is still here.
#[derive(Debug)]
pub(crate) struct Each<I> {
    pub(crate) f: fn(&I),
}

impl<I: Serialize + DeserializeOwned> Task for Each<I> {
    type Context = ();
    type State = ();
    type In = I;
    type Reply = ();
    type Out = I;
    addresses!(f: fn(&I));

    fn run(self, (): &(), _: &mut Option<()>, item: I) {
        (self.f)(&item);
    }

    fn out(sent: &[u8], (): ()) -> Result<I, String> {
        decode(sent)
    }
}

/// `process::map_with(ctx, f)`
#[derive(Debug)]
pub(crate) struct MapWith<C, I, O> {
    pub(crate) f: fn(&C, I) -> O,
}

impl<C, I, O> Task for MapWith<C, I, O>
where
    C: DeserializeOwned,
    I: Serialize + DeserializeOwned,
    O: Serialize + DeserializeOwned,
{
    type Context = C;
    type State = ();
    type In = I;
    type Reply = O;
    type Out = O;
    addresses!(f: fn(&C, I) -> O);

    fn run(self, context: &C, _: &mut Option<()>, item: I) -> O {
        (self.f)(context, item)
    }

    fn out(_: &[u8], reply: O) -> Result<O, String> {
        Ok(reply)
    }
}

/// `process::map_init(init, f)`
#[derive(Debug)]
pub(crate) struct MapInit<S, I, O> {
    pub(crate) init: fn() -> S,
    pub(crate) f: fn(&mut S, I) -> O,
}

impl<S, I, O> Task for MapInit<S, I, O>
where
    I: Serialize + DeserializeOwned,
    O: Serialize + DeserializeOwned,
{
    type Context = ();
    type State = S;
    type In = I;
    type Reply = O;
    type Out = O;
    addresses!(init: fn() -> S, f: fn(&mut S, I) -> O);

    fn run(self, (): &(), state: &mut Option<S>, item: I) -> O {
        (self.f)(state.get_or_insert_with(self.init), item)
    }

    fn out(_: &[u8], reply: O) -> Result<O, String> {
        Ok(reply)
    }
}

// derived, they would ask the same of the types behind the pointers
macro_rules! copies {
    ($($task:ident<$($generic:ident),*>),*) => {$(
        impl<$($generic),*> Clone for $task<$($generic),*> {
            fn clone(&self) -> Self {
                *self
            }
        }
        impl<$($generic),*> Copy for $task<$($generic),*> {}
    )*};
}
copies!(Map<I, O>, Each<I>, MapWith<C, I, O>, MapInit<S, I, O>);

/// A function that captures nothing, in a worker: no byte of it had to travel.
///
/// The parent had one, of this same type: it was encoded as part of the context that is being decoded. What has no bytes is
/// the same everywhere, and `Copy` says that there may be any number of it.
#[cfg(feature = "dataloader")]
pub(crate) fn out_of_nothing<F: Copy + 'static>() -> F {
    const { assert!(size_of::<F>() == 0, "a function that goes to worker processes must capture nothing") }
    // SAFETY: of a type without bytes any aligned pointer can be read, and the value is one that the parent has, too
    unsafe { std::ptr::NonNull::<F>::dangling().read() }
}

/// What a parent tells a worker at first.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Hello {
    pub(crate) executable: super::entry::Executable,
    /// Of the function that knows the task's types.
    pub(crate) entry: i64,
    /// Of the task's functions.
    pub(crate) functions: Vec<i64>,
    /// The task's type, to be sure.
    pub(crate) task: String,
    pub(crate) context: Vec<u8>,
    /// How many descriptors come for each passenger of the context.
    pub(crate) passengers: Vec<usize>,
}
