//! `share()`: several pullers, who take turns.
use crate::Error;
use crate::error::caught;
use crate::graph::Kind;
use crate::locked::{Given, Locked, Serial, pulls, stopping};
use crate::monitor::Survey;
use crate::pipe::{Envelope, Named, Pipe, Pulled, Start, Upstream, Watched, Way};
use crate::pool::Turn;
use crate::post::Post;
use crate::stage::order::Handed;
use crate::sync::{Arc, Mutex};
use std::fmt;

/// A clonable handle on the stream: whoever pulls takes the next item. The upstream ends with its last holder.
///
/// A track from which another one pulls is shared in this way.
///
/// ```
/// use tinypl::pipeline;
///
/// let mut a = pipeline! { range(4) |> share() };
/// let mut b = a.clone();
/// assert_eq!((a.next(), b.next(), a.next()), (Some(0), Some(1), Some(2)));
/// drop(a);
/// assert_eq!(b.next(), Some(3));
/// ```
#[track_caller]
pub fn share<P: Pipe>(up: P) -> Locked<Share<P>> {
    share_as(up, Post::here("share"))
}

/// The track `name`, from which others pull.
#[track_caller]
pub(crate) fn named<P: Pipe>(up: P, name: &'static str) -> Locked<Share<P>> {
    let mut post = Post::here("share");
    post.set_handle(name);
    share_as(up, post)
}

fn share_as<P: Pipe>(up: P, post: Post) -> Locked<Share<P>> {
    let turn = Turn::new(post.site());
    let shared =
        Shared { turn, up: Mutex::new(up), failed: Mutex::new(None), above: Mutex::new(None), post: post.clone() };
    Locked::new(Share::new(Arc::new(shared)), post)
}

/// The stage of [`share`].
#[must_use = "a stage does nothing until it is pulled"]
pub struct Share<P: Pipe> {
    shared: Arc<Shared<P>>,
    handed: Handed<<P::Tags as Named>::Raw>,
}

struct Shared<P> {
    /// Taken before `up`, which is then free: this is where threads wait for one another.
    turn: Turn,
    up: Mutex<P>,
    /// How it ended, for all who share it. Not behind the turn: who asks must not wait for who pulls.
    failed: Mutex<Option<Error>>,
    /// What the stages above said when they started.
    above: Mutex<Option<(Start, Survey)>>,
    /// All who share it are one stage.
    post: Post,
}

impl<P: Pipe> Share<P> {
    fn new(shared: Arc<Shared<P>>) -> Self {
        Self { shared, handed: Handed::new() }
    }

    fn pull_in_turn(&self) -> Pulled<P> {
        let Shared { turn, up, failed, .. } = &*self.shared;
        let _turn = turn.wait()?;
        if failed.lock().is_some() {
            return None;
        }
        let mut up = up.lock();
        let failure = match caught(Some(None), || up.pull_by::<Watched>()) {
            Ok(Some(signal)) => {
                if let (Some(probe), Envelope::Item(..)) = (self.shared.post.probe(), &signal) {
                    probe.gave(1);
                }
                return Some(signal);
            }
            Ok(None) if stopping() => return None,
            Ok(None) => caught(Some(Ok(())), || up.finish()).and_then(|finished| finished).err(),
            Err(panic) => Some(panic),
        };
        *failed.lock() = failure;
        None
    }
}

impl<P: Pipe> Serial for Share<P> {
    type Item = P::Item;
    type Marker = P::Marker;
    type Tags = P::Tags;

    pulls!();

    #[inline]
    fn pull_by<W: Way>(&mut self) -> Option<Given<Self>> {
        let signal = self.pull_in_turn()?;
        self.handed.note(signal.ride());
        Some(signal)
    }

    fn upstream(&mut self) -> Option<&mut dyn Upstream> {
        None
    }

    fn start(&mut self, start: &mut Start) {
        let mut above = self.shared.above.lock();
        let (above, _) = above.get_or_insert_with(|| {
            let (mut above, mut seen) = (Start::default(), Survey::default());
            let mut up = self.shared.up.lock();
            up.start(&mut above);
            up.survey(&mut seen);
            seen.stage(&self.shared.post).kind(Kind::Shared).counts(0).waits(&self.shared.turn.watchers);
            above.windows.iter().for_each(|window| window.share());
            (above, seen)
        });
        start.repeat(above);
        self.handed.open(&above.windows);
    }

    fn survey(&mut self, _: &Post, _: u64, survey: &mut Survey) {
        // not by looking: whoever pulls may be at it for long
        if let Some((_, seen)) = &*self.shared.above.lock() {
            survey.extend(seen);
        }
    }

    fn finish(&mut self) -> Result<(), Error> {
        self.shared.failed.lock().clone().map_or(Ok(()), Err)
    }
}

impl<P: Pipe> Clone for Locked<Share<P>> {
    fn clone(&self) -> Self {
        let share = self.peek(|share| Share::new(share.shared.clone()));
        Locked::new(share, self.post().clone())
    }
}

impl<P: Pipe> fmt::Debug for Share<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Share").finish_non_exhaustive()
    }
}
