//! What travels in a stream, markers included.
use std::fmt::Debug;
use tinypl::{Envelope, Named, Pipe, Pipeline};

/// Pulls all there is, and writes it down: items as they print, a marker as `*` (one more for each inserted below it).
pub fn signals<P>(pipe: Pipeline<P>) -> String
where
    P: Pipe<Item: Debug, Marker: Named<Raw: Debug>, Tags = ()>,
{
    let mut pipe = pipe.into_pipe();
    let mut all = Vec::new();
    while let Some(signal) = pipe.pull() {
        all.push(match signal {
            Envelope::Item(x, ()) => format!("{x:?}"),
            Envelope::Mark(m, ()) => "*".repeat(1 + format!("{m:?}").matches("Rest").count()),
        });
    }
    all.join(" ")
}
