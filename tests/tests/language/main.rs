//! `language.md`, sentence by sentence: what a block is, what stands in it, and what comes out of it.
mod arguments;
mod blocks;
mod elsewhere;
mod functions;
mod handles;
mod own_stages;
mod processes;
mod scopes;
mod sinks;
mod sources;
mod tracks;
