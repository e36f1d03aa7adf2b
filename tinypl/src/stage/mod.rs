//! One file a stage. A path in the language is a path here.
mod chain;
pub mod debug;
mod each;
mod enumerate;
mod filter;
mod filter_map;
mod flatten;
mod map;
pub(crate) mod marker;
pub mod order;
mod partition;
#[cfg(all(feature = "process", target_os = "linux"))]
pub mod process;
#[cfg(feature = "progress")]
mod progress;
mod ratelimit;
mod share;
mod skip;
mod source;
mod steps;
mod take;
pub mod thread;
mod try_map;
mod zip;

pub use chain::{Chain, chain};
pub use each::{Each, each, each_mut};
pub use enumerate::{Enumerate, enumerate};
pub use filter::{Filter, filter, filter_mut};
pub use filter_map::{FilterMap, filter_map, filter_map_mut};
pub use flatten::{Flatten, FlattenEager, flatten, flatten_eager};
pub use map::{Map, map, map_mut};
pub use partition::{Groups, Nowhere, Partition, Placing, Split, partition};
#[cfg(feature = "progress")]
pub use progress::{Progress, ProgressHandle, progress};
pub use ratelimit::{RateLimit, RateLimitHandle, ratelimit};
pub(crate) use share::named as share_named;
pub use share::{Share, share};
pub use skip::{Skip, skip};
pub(crate) use source::Sure;
pub use source::{All, Iter, Number, Steps, range, source};
pub use take::{Take, take};
pub use try_map::{TryMap, try_map, try_map_mut};
pub use zip::{Zip, zip};
