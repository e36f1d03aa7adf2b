//! What worker processes do for an item, whoever runs them: functions that capture nothing, with the
//! items that they get and how their results are checked.

use crate::work::sum;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_bytes::ByteBuf;

/// What large items hold.
pub const MEGABYTE: usize = 1_000_000;

/// What travels to a worker, and back.
pub trait Travels: Serialize + DeserializeOwned + Send + 'static {}
impl<T: Serialize + DeserializeOwned + Send + 'static> Travels for T {}

/// What is left of a result to be checked, and cheap to find.
pub trait Digest: Travels {
    /// The same for the same result.
    fn digest(&self) -> u64;
}

impl Digest for u64 {
    #[inline]
    fn digest(&self) -> u64 {
        *self
    }
}

impl Digest for Vec<u8> {
    fn digest(&self) -> u64 {
        let at = |k: usize| self.get(k).map_or(0, |&byte| u64::from(byte));
        self.len() as u64 + at(0) + 3 * at(self.len() / 2) + 7 * at(self.len().wrapping_sub(1))
    }
}

impl Digest for ByteBuf {
    fn digest(&self) -> u64 {
        Vec::digest(self)
    }
}

/// A function for workers.
#[derive(Debug)]
pub struct Job<I, O> {
    /// By which a worker knows it.
    pub name: &'static str,
    /// The items.
    pub make: fn(u64) -> I,
    /// What workers do.
    pub f: fn(I) -> O,
}

impl<I, O> Clone for Job<I, O> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<I, O> Copy for Job<I, O> {}

impl<I: Travels, O: Digest> Job<I, O> {
    /// The digest of the results of `n` items, in any order.
    #[must_use]
    pub fn expected(&self, n: u64) -> u64 {
        (0..n).map(self.make).map(self.f).fold(0, |digest, y| sum(digest, y.digest()))
    }
}

/// No work.
pub const ADD_ONE: Job<u64, u64> = Job { name: "add-one", make: |x| x, f: add_one };
/// A megabyte there and back.
pub const THERE_AND_BACK: Job<Vec<u8>, Vec<u8>> = Job { name: "there-and-back", make: megabyte, f: |bytes| bytes };
/// A megabyte there.
pub const THERE: Job<Vec<u8>, u64> = Job { name: "there", make: megabyte, f: |bytes| bytes.digest() };
/// A megabyte back.
pub const BACK: Job<u64, Vec<u8>> = Job { name: "back", make: |x| x, f: megabyte };

/// The same three for whoever says that his bytes are to travel in one piece.
pub const WHOLE_THERE_AND_BACK: Job<ByteBuf, ByteBuf> =
    Job { name: "whole-there-and-back", make: whole_megabyte, f: |bytes| bytes };
/// As [`THERE`].
pub const WHOLE_THERE: Job<ByteBuf, u64> = Job { name: "whole-there", make: whole_megabyte, f: |bytes| bytes.digest() };
/// As [`BACK`].
pub const WHOLE_BACK: Job<u64, ByteBuf> = Job { name: "whole-back", make: |x| x, f: whole_megabyte };

/// No work.
#[inline]
#[must_use]
pub fn add_one(x: u64) -> u64 {
    x + 1
}

fn megabyte(x: u64) -> Vec<u8> {
    vec![x as u8; MEGABYTE]
}

fn whole_megabyte(x: u64) -> ByteBuf {
    ByteBuf::from(megabyte(x))
}

/// How an array whose elements are all alike is looked at, and told from others.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// In words.
    pub name: &'static str,
    /// The digest of an array.
    pub digest: fn(&[f32]) -> u64,
    /// What it is for so many elements with these bits.
    expected: fn(usize, u32) -> u64,
}

impl Look {
    /// The digest of `n` arrays of `len` elements, each filled with its number.
    #[must_use]
    pub fn expected(&self, n: u64, len: usize) -> u64 {
        (0..n).fold(0, |digest, x| sum(digest, (self.expected)(len, (x as f32).to_bits())))
    }
}

/// At three places.
pub const GLANCE: Look = Look {
    name: "a glance at each",
    digest: |array| {
        let at = |k: usize| u64::from(array[k].to_bits());
        array.len() as u64 + at(0) + 3 * at(array.len() / 2) + 7 * at(array.len() - 1)
    },
    expected: |len, bits| len as u64 + 11 * u64::from(bits),
};

/// At every element.
pub const ADD_UP: Look = Look {
    name: "all added up",
    digest: |array| u64::from(array.iter().fold(0_u32, |all, x| all.wrapping_add(x.to_bits()))),
    expected: |len, bits| u64::from(bits.wrapping_mul(len as u32)),
};
