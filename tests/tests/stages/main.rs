//! What each stage does to the items, the markers and the orders that pass it.
mod by_hand;
mod chain;
mod debug;
mod enumerate;
mod flatten;
mod functions;
mod marker;
mod nested;
mod order;
mod partition;
mod ratelimit;
mod share;
mod source;
mod take;
mod thread;
mod zip;
