//! What needs a model checker in the place of threads and locks.
#![cfg(any(loom, shuttle))]
mod models;
