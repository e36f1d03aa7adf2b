//! All that an expansion of `pipeline!` may name beside the public stages. No part of it is for users.
#[cfg(all(fuzzing, feature = "process", target_os = "linux"))]
pub use crate::crew::fuzzing;
pub use crate::expansion::closure::{
    by_ref, by_val, concurrent_call, concurrent_ref, concurrent_val, hint, item, takes_ref, takes_val,
};
pub use crate::expansion::find::{Src, open};
pub use crate::expansion::guard::{
    an_order, chains, exclusive, give, given, inserted, nested, own, pullable, range, saved, says, send_items,
    sendable, try_map, try_map_mut, unmarked, unordered, zips,
};
#[cfg(feature = "dataloader")]
pub use crate::expansion::loader::{
    a_dataset, a_mode, a_sampler, collates, gives, loader, loader_branded, may_fail, shares, takes,
};
pub use crate::expansion::lower::{marker_branded, named, named_each, named_init, order_branded, queue, shared, track};
pub use crate::expansion::pointer::{
    context_pointer, context_result, init_pointer, item_pointer, item_result, ref_pointer, returned_items,
    serial_context, serial_items, state_pointer, state_result,
};
