//! `try_map(f)`: run by whoever pulls; an `Err` ends the pipeline.
use crate::Error;
use crate::func::{Exclusive, Func};
use crate::monitor::Survey;
use crate::pipe::{Below, Envelope, Pipe, Pulled, Ride, Stepped, Watched, Way, through};
use crate::post::{Call, Post};
use std::error::Error as StdError;
use std::fmt;

/// Applies `f`, and passes on what it gives as `Ok`.
///
/// # Errors
/// The first `Err` ends the pipeline: [`try_next`](crate::Pipeline::try_next) and the `try_…` sinks give an [`Error`] with
/// its text, this stage and the item's number (and the `Err` itself as [`source`](std::error::Error::source)); the
/// pipeline's `Iterator` face panics with it.
///
/// ```
/// use tinypl::pipeline;
///
/// let sum = pipeline! { ["1", "2"] |> try_map(|s| s.parse::<i32>()) |> try_collect::<Vec<_>>() };
/// assert_eq!(sum?, [1, 2]);
/// # Ok::<(), tinypl::Error>(())
/// ```
///
/// # Panics
/// A panic of `f` ends the pipeline with an [`Error`] that names this stage and the item.
#[track_caller]
pub fn try_map<P, F, R, E>(up: P, f: F) -> TryMap<P, F>
where
    P: Pipe,
    F: Fn(P::Item) -> Result<R, E>,
    E: Into<Box<dyn StdError + Send + Sync>>,
{
    TryMap { up, f, failed: None, post: Post::here("try_map") }
}

/// [`try_map`] for a function that changes what it captured: one thread at a time pulls it.
///
/// ```
/// use tinypl::{Pipeline, source, try_map_mut};
///
/// let mut left = 5;
/// let spend = |x: u32| { left = u32::checked_sub(left, x).ok_or("nothing is left")?; Ok::<_, &str>(left) };
/// let mut pipe = Pipeline::new(try_map_mut(source([2, 3, 1]), spend));
/// assert_eq!((pipe.next(), pipe.next()), (Some(3), Some(0)));
/// assert_eq!(pipe.try_next().unwrap_err().message(), "nothing is left");
/// ```
#[track_caller]
pub fn try_map_mut<P, F, R, E>(up: P, f: F) -> TryMap<P, Exclusive<F>>
where
    P: Pipe,
    F: FnMut(P::Item) -> Result<R, E>,
    E: Into<Box<dyn StdError + Send + Sync>>,
{
    TryMap { up, f: Exclusive::new(f), failed: None, post: Post::here("try_map") }
}

/// The stage of [`try_map`].
#[must_use = "a stage does nothing until it is pulled"]
pub struct TryMap<P, F> {
    pub(crate) up: P,
    pub(crate) f: F,
    /// Where one thread pulls: what ended it.
    pub(crate) failed: Option<Error>,
    pub(crate) post: Post,
}

/// The signal with what `f` makes of its item, or why that failed.
#[inline(always)]
fn apply<T, U, M, G: Ride, E: Into<Box<dyn StdError + Send + Sync>>>(
    signal: Envelope<T, M, G>,
    call: Call<'_>,
    f: impl FnOnce(T) -> Result<U, E>,
) -> Result<Envelope<U, M, G>, Error> {
    Ok(match signal {
        Envelope::Item(x, g) => {
            let at = call.begin();
            let y = f(x);
            at.left();
            Envelope::Item(
                y.map_err(|error| Error::of_item(error.into(), call.post.site(), call.item.unwrap_or_default()))?,
                g,
            )
        }
        Envelope::Mark(m, g) => Envelope::Mark(m, g),
        Envelope::Gap(gap, g) => Envelope::Gap(gap, g),
    })
}

impl<P, F, R, E> Pipe for TryMap<P, F>
where
    P: Pipe,
    F: Func<P::Item, Out = Result<R, E>>,
    E: Into<Box<dyn StdError + Send + Sync>>,
{
    type Item = R;
    type Marker = P::Marker;
    type Tags = P::Tags;
    type Local = P::Local;
    through!(bottom);
    through!(announce);

    #[inline]
    fn pull_by<W: Way>(&mut self) -> Pulled<Self> {
        if self.failed.is_some() {
            return None;
        }
        let signal = W::pull(&mut self.up)?;
        let number = self.up.number();
        match apply(signal, Call::by::<W>(&self.post, Some(number)), |x| self.f.call_mut(x)) {
            Ok(signal) => Some(signal),
            Err(error) => {
                self.failed = Some(error);
                None
            }
        }
    }

    #[inline]
    fn step(&self, local: &mut P::Local, signal: Below<Self>, number: u64) -> Stepped<Self> {
        let Some(signal) = self.up.step(local, signal, number)? else { return Ok(None) };
        apply(signal, Call::by::<Watched>(&self.post, Some(number)), |x| self.f.call(x)).map(Some)
    }

    fn survey(&self, survey: &mut Survey) {
        self.up.survey(survey);
        survey.stage(&self.post).function::<F>();
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        // an error ends it earlier, as a panic of `map` does
        if self.failed.is_some() { (0, Some(0)) } else { self.up.size_hint() }
    }

    fn finish(&mut self) -> Result<(), Error> {
        self.failed.clone().map_or_else(|| self.up.finish(), Err)
    }
}

impl<P: fmt::Debug, F> fmt::Debug for TryMap<P, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TryMap").field("site", &self.post).field("up", &self.up).finish()
    }
}
