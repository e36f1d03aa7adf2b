//! The part of each epoch that one of several trainers gets.
use std::iter::StepBy;
use std::ops::Range;

/// One of several equal parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    rank: usize,
    of: usize,
}

impl Shard {
    pub(super) const ALL: Self = Self { rank: 0, of: 1 };

    #[track_caller]
    pub(super) fn new(rank: usize, of: usize) -> Self {
        assert!(of > 0, "`of` of `shard` must be at least 1");
        assert!(rank < of, "`rank` of `shard` counts from 0: of {of} trainers the last is {}, not {rank}", of - 1);
        Self { rank, of }
    }

    /// How many of `len` indices it has.
    pub(super) fn len(self, len: usize) -> usize {
        len / self.of
    }

    /// Its places among `len`. Every `of`th one: what all trainers have as their first batch is what one with a batch `of` times
    /// as large would have.
    pub(super) fn places(self, len: usize) -> StepBy<Range<usize>> {
        let whole = self.len(len) * self.of;
        (self.rank.min(whole)..whole).step_by(self.of)
    }
}

/// The setters that [`sequential`](super::sequential) and [`shuffle`](super::shuffle) share.
macro_rules! epochs_and_shard {
    () => {
        /// Ends after `n` epochs. Left out: never.
        pub fn epochs(self, n: u64) -> Self {
            Self { epochs: Some(n), ..self }
        }

        /// The part of trainer number `rank`, from 0, of `of` trainers.
        ///
        /// The parts of all trainers are disjoint, and of equal length, since trainers wait for one another: of each epoch the
        /// last `len % of` samples, in its order, are nobody's. (A shuffle has others there in each epoch.)
        ///
        /// # Panics
        /// If `rank` is not less than `of`.
        #[track_caller]
        pub fn shard(self, rank: usize, of: usize) -> Self {
            Self { shard: Shard::new(rank, of), ..self }
        }
    };
}
pub(super) use epochs_and_shard;
