//! Whatever comes from the other end of a worker's socket, in whatever pieces: it is taken apart, or refused.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tinypl::__private::fuzzing::frames(bytes));
