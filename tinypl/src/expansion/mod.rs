//! What stands behind the expansions of `pipeline!`: how it learns what a source is ([`find`]), tells rustc a closure's
//! signature ([`closure`], [`pointer`]), checks ([`guard`]), and opens pipelines of other blocks to several threads ([`widen`]). They
//! lean on rustc's inference; the UI tests pin what it says.
#![expect(missing_docs, reason = "only expansions name what is here")]

pub(crate) mod closure;
pub(crate) mod find;
pub(crate) mod guard;
#[cfg(feature = "dataloader")]
pub(crate) mod loader;
pub(crate) mod lower;
pub(crate) mod pointer;
mod widen;

/// The two answers of a check. Each check has a blanket impl for both, so that rustc, where neither holds, reports the
/// check itself, in our words, and leaves its result an inference variable, which keeps everything after it silent.
#[derive(Debug)]
pub struct Yes;
#[derive(Debug)]
pub struct No;
/// What nothing is.
pub trait Impossible {}
