//! What a `Serialize` or a `Deserialize` said when it failed: postcard keeps no message.
mod decoding;
mod encoding;

pub(crate) use decoding::{decode, decode_once};
pub(crate) use encoding::why;

/// What to do about it.
pub(crate) const DECODING: &str = " (a `Deserialize` has to read, from postcard, just what its `Serialize` writes)";
